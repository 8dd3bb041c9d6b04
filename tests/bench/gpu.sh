#!/usr/bin/env bash
# R1, R2 and the wide R3 on a GPU: phasegrid against stacked and plain PyTorch on the same device.
# Needs a python3 with PyTorch 2.11 for CUDA and NumPy, target/release/phasegrid and phasegrid-trainer (or PHASEGRID), and
# PHASEGRID_DATA for R1 and R3. Writes docs/benchmarks-gpu.md.
#
#   DEVICE     cuda (default), cuda:N, or cpu to try it out without a GPU
#   WORKERS    phasegrid's trainers on the GPU, 1 by default
#   PROCESSES  processes of plain PyTorch, the number of cores by default
#   ROUNDS     3 by default;  QUICK=1  a small part of each workload;  PYTHON  python3 by default
set -euo pipefail
cd "$(dirname "$0")/../.."
device=${DEVICE:-cuda}
python=${PYTHON:-python3}
workers=${WORKERS:-1}
processes=${PROCESSES:-$(nproc)}

fail() { printf 'gpu.sh: %s\n' "$1" >&2; exit 1; }

libraries=$("$python" -c 'import os, numpy, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))') ||
  fail "$python needs PyTorch and NumPy (its message stands above); set PYTHON"
if [ "$device" != cpu ]; then
  "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || fail "PyTorch sees no GPU here"
  page=docs/benchmarks-gpu.md
else
  page=.bench/benchmarks-gpu.md
fi
# phasegrid-trainer runs on the same libtorch as the peers.
export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
mkdir -p .bench
exec "$python" tests/bench/run.py --workloads r1 r2 r3 --programs phasegrid "stacked PyTorch" "plain PyTorch" \
  --device "$device" --workers "$workers" --processes "$processes" --no-metrics --doc "$page" --command tests/bench/gpu.sh "$@"
