#!/usr/bin/env bash
# Installs the readers of the tables into the folder $1, once, and
# prints the folder for PYTHONPATH. Nothing outside $1 is touched.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)

exec 9>"$folder/lock"
flock 9
stamp="$folder/installed"
wanted="$(python3 --version) $(cat "$here/requirements.txt")"
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$folder/packages" "$stamp"
  # pip --target needs no python3-venv, which Debian packages apart.
  PIP_BREAK_SYSTEM_PACKAGES=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    python3 -m pip install --quiet --only-binary=:all: --target "$folder/packages" \
    --requirement "$here/requirements.txt" >&2
  printf '%s' "$wanted" >"$stamp"
fi
echo "$folder/packages"
