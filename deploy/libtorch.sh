#!/usr/bin/env bash
# Installs libtorch, from the PyPI wheel of PyTorch, into the private folder .libtorch of this
# checkout. Nothing outside the checkout is touched. With CUDA=1 the CUDA libraries come too.
set -euo pipefail
cd "$(dirname "$0")/.."

version=2.11.0
# A libtorch of one's own is taken as it is.
[ -n "${LIBTORCH:-}" ] && [ -e "$LIBTORCH/lib/libtorch_cpu.so" ] && exit 0
folder=.libtorch
stamp="$folder/.phasegrid-$version${CUDA:+-cuda}"
[ -e "$stamp" ] && exit 0
# The CUDA libraries are a superset.
[ -z "${CUDA:-}" ] && [ -e "$folder/.phasegrid-$version-cuda" ] && exit 0

fail() { printf 'libtorch cannot be installed: %s\n' "$1" >&2; exit 1; }

[ "$(uname -sm)" = "Linux x86_64" ] ||
  fail "the wheel is for Linux on x86_64, this is $(uname -sm); set LIBTORCH to a libtorch $version of your own"
python3 -c '' 2>/dev/null ||
  fail "python3 is missing: install it (Debian, Ubuntu: apt install python3 python3-pip)"
python3 -m pip --version >/dev/null 2>&1 ||
  fail "pip is missing: install it (Debian, Ubuntu: apt install python3-pip; elsewhere: python3 -m ensurepip)"
free_kib=$(df -Pk . | awk 'NR==2 {print $4}')
[ "$free_kib" -ge 3000000 ] || fail "it needs 3 GB of free space here, there are $((free_kib / 1000000)) GB"

# The interpreter named here only selects a wheel: the libraries in it are the same for all.
select=(--only-binary=:all: --python-version 3.12 --implementation cp --abi cp312 --abi abi3 --abi none
        --platform manylinux2014_x86_64 --platform manylinux1_x86_64)
for glibc in {5..28}; do select+=(--platform "manylinux_2_${glibc}_x86_64"); done
if [ -n "${CUDA:-}" ]; then
  packages=("torch==$version")
else
  # What libtorch_cpu itself links to, and no more.
  packages=(--no-deps "torch==$version" "nvidia-cuda-runtime==13.0.*" "nvidia-cuda-cupti==13.0.*")
fi

echo "Installing libtorch $version into $folder (once, about 530 MB to download${CUDA:+ and the CUDA libraries})"
rm -rf "$folder.partial"
# --target writes nowhere else, so a system-wide pip may do it.
PIP_BREAK_SYSTEM_PACKAGES=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
  python3 -m pip install --quiet --target "$folder.partial" "${select[@]}" "${packages[@]}" ||
  fail "pip could not install the wheel (its message stands above); check the network and try again"
[ -e "$folder.partial/torch/lib/libtorch_cpu.so" ] || fail "the wheel has no libtorch_cpu.so"
touch "$folder.partial/$(basename "$stamp")"
rm -rf "$folder"
mv "$folder.partial" "$folder"
