#!/usr/bin/env bash
# Installs the peers of `make bench` into the virtual environment .bench/venv of this checkout, once.
# TORCH_INDEX=URL takes torch from that package index instead of pip's own: PyTorch's index of CPU wheels
# is a tenth of the size.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

fail() { printf 'the peers cannot be installed: %s\n' "$1" >&2; exit 1; }

python3 -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null ||
  fail "they need python3 3.10 to 3.13, here is $(python3 --version 2>&1 || true)"
wanted="$(python3 --version) ${TORCH_INDEX:-} $(cat "$here"/requirements*.txt)"
stamp=.bench/installed
[ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ] && exit 0

needed_gb=7
free_kib=$(df -Pk . | awk 'NR==2 {print $4}')
[ "$free_kib" -ge $((needed_gb * 1000000)) ] ||
  fail "they need $needed_gb GB of free space here, there are $((free_kib / 1000000)) GB"
echo "Installing PyTorch, Ray and JAX into .bench/venv (once, about 2.5 GB to download)"
rm -rf .bench/venv "$stamp"
mkdir -p .bench
python3 -m venv .bench/venv || fail "python3 cannot make a virtual environment (Debian, Ubuntu: apt install python3-venv)"

install() { .bench/venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: "$@"; }
install --requirement "$here/requirements.txt" || fail "pip could not install Ray and JAX (its message stands above)"
if [ -n "${TORCH_INDEX:-}" ]; then
  install --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' "$here/requirements-torch.txt")"
else
  install --no-deps --requirement "$here/requirements-torch.txt"
fi || fail "pip could not install PyTorch (its message stands above)"
.bench/venv/bin/python -c 'import jax, ray.tune, torch.optim' || fail "what was installed cannot be imported"
printf '%s' "$wanted" >"$stamp"
