#!/usr/bin/env bash
# Times the speed workloads end to end, from process start to published tables, three runs each.
# R1 needs MNIST below the folder PHASEGRID_DATA; without it only R2 is timed.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${PHASEGRID:-target/release/phasegrid}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

workload() { # name, sweep file, trials
  local seconds rates=()
  for run in 1 2 3; do
    seconds=$( { TIMEFORMAT=%R; time "$program" run "$2" --out "$scratch/$1-$run" --no-figures >/dev/null 2>"$scratch/log" || cat "$scratch/log" >&2; } 2>&1 )
    rates+=("$(awk -v n="$3" -v s="$seconds" 'BEGIN {printf "%.1f", n / s}')")
  done
  printf '%s  %s trials  trials/s: %s\n' "$1" "$3" "$(printf '%s\n' "${rates[@]}" | sort -n | paste -sd' ')"
}

echo "$(nproc) processors, $(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo)"
workload R2 sweeps/bench-r2.toml 1152
if [ -n "${PHASEGRID_DATA:-}" ]; then
  workload R1 sweeps/bench-r1.toml 384
else
  echo "R1  skipped: set PHASEGRID_DATA to a folder with mnist/*.gz"
fi
