#!/usr/bin/env bash
# Installs the readers of the tables, or the packages of the requirements file $2, into the folder $1, once, and
# prints the folder for PYTHONPATH. Nothing outside $1 is touched.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
requirements=${2:-$here/requirements.txt}
mkdir -p "$1"
folder=$(cd "$1" && pwd)

exec 9>"$folder/lock"
flock 9
stamp="$folder/installed"
wanted="$(python3 --version) $(cat "$requirements")"
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$folder/packages" "$stamp"
  # pip --target needs no python3-venv, which Debian packages apart.
  PIP_BREAK_SYSTEM_PACKAGES=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    python3 -m pip install --quiet --only-binary=:all: --target "$folder/packages" \
    --requirement "$requirements" >&2
  printf '%s' "$wanted" >"$stamp"
fi
echo "$folder/packages"
