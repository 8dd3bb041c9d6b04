#!/usr/bin/env bash
# Lints every shell script of the project and validates the Kubernetes manifests; the linters are
# installed into the folder $1, once. Exit code 3: they cannot be installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
packages=$("$here/../interop/setup.sh" "$1" "$here/requirements.txt") || exit 3
cd "$here/../.."
mapfile -t scripts < <(find deploy tests .ci -name '*.sh' -o -name '*.sbatch' -o -path .ci/run | sort)
"$packages/bin/shellcheck" --shell=bash "${scripts[@]}"
echo "shellcheck: ${#scripts[@]} scripts"
PYTHONPATH=$packages python3 "$here/manifests.py" deploy/kubernetes
