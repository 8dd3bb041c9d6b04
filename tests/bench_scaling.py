#!/usr/bin/env python3
"""Time against trials and units, and what orchestration costs a trial.

Trials are as small as they get (1 step, 1 hidden layer, no metrics), so that nearly everything but
training is left: lease, pipe, encode, stage, verify, publish. Overhead = wall time x workers - the
trainers' own training and measuring seconds (columns of `trials`); it includes starting the
programs and compacting at the end.

    python3 tests/bench_scaling.py [--program target/release/phasegrid] [--largest 100000]
                                   [--runs 3] [--write docs/benchmarks-scaling.md]
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WIDTHS = 10


def sweep_by_trials(trials):
    """The same ten shapes, more and more trials of each."""
    return f"""name = "scaling"
task = "digits"
[fixed]
depth = 1
steps = 1
batch_size = 8
[axes]
width = {{ range = [1, {WIDTHS + 1}] }}
seed = {{ range = [0, {trials // WIDTHS}] }}
[measure]
at = "last"
metrics = []
history = 0
probe_samples = 10
"""


def sweep_by_units(units, per_unit):
    """More and more shapes, the same number of trials of each: every shape is a unit at least."""
    return f"""name = "scaling"
task = "digits"
[fixed]
depth = 1
width = 2
steps = 1
[axes]
batch_size = {{ range = [1, {units + 1}] }}
seed = {{ range = [0, {per_unit}] }}
[measure]
at = "last"
metrics = []
history = 0
probe_samples = 10
"""


def run(program, text, workers):
    """Wall seconds, the trainers' seconds, trials and units of one run."""
    with tempfile.TemporaryDirectory(prefix="phasegrid-scaling-") as folder:
        file, store = Path(folder, "s.toml"), Path(folder, "store")
        file.write_text(text)
        started = time.monotonic()
        command = [program, "run", file, "--out", store, "--no-figures", "--workers", str(workers)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wall = time.monotonic() - started
        sql = (
            "SELECT COUNT(*) AS trials, COUNT(DISTINCT unit) AS units,"
            " SUM(train_seconds) + SUM(measure_seconds) AS busy FROM trials"
        )
        answer = subprocess.run(
            [program, "query", store, sql, "--output", "json"], check=True, capture_output=True
        )
        row = json.loads(answer.stdout)[0]
        return {"wall": wall, **row}


def measure(program, text, workers, runs):
    results = [run(program, text, workers) for _ in range(runs)]
    walls = [one["wall"] for one in results]
    trials = results[0]["trials"]
    overheads = [1e3 * (one["wall"] * workers - one["busy"]) / one["trials"] for one in results]
    return {
        "trials": trials,
        "units": round(statistics.median(one["units"] for one in results)),
        "wall": statistics.median(walls),
        "spread": (min(walls), max(walls)),
        "busy": statistics.median(one["busy"] for one in results),
        "overhead_ms": statistics.median(overheads),
    }


def slope(points, of):
    """Least-squares seconds for each further one of `of`, and the constant."""
    xs, ys = [one[of] for one in points], [one["wall"] for one in points]
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
    over = sum((x - mean_x) ** 2 for x in xs)
    per_one = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / over
    return per_one, mean_y - per_one * mean_x


def marginal_overhead(points, of, workers):
    """ms of overhead for each further one, between the two largest sweeps."""
    few, many = points[-2], points[-1]
    cost = lambda one: one["wall"] * workers - one["busy"]
    return 1e3 * (cost(many) - cost(few)) / (many[of] - few[of])


HEADER = (
    "| trials | units | wall s, median (least to most) | ms a trial | overhead, ms a trial |\n"
    "|---|---|---|---|---|\n"
)


def row(one):
    least, most = one["spread"]
    return (
        f"| {one['trials']:,} | {one['units']:,} | {one['wall']:.2f} ({least:.2f} to {most:.2f})"
        f" | {1e3 * one['wall'] / one['trials']:.3f} | {one['overhead_ms']:.3f} |\n"
    )


def machine():
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{os.cpu_count()} processors, {model}, Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="target/release/phasegrid")
    parser.add_argument("--largest", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    program = str(Path(options.program).resolve())

    def measured(text):
        one = measure(program, text, options.workers, options.runs)
        print(row(one), end="", file=sys.stderr, flush=True)
        return one

    sizes = [10**power for power in range(2, 7) if 10**power <= options.largest]
    by_trials = [measured(sweep_by_trials(trials)) for trials in sizes]
    by_units = [measured(sweep_by_units(units, 10)) for units in (10, 100, 1_000)]

    a_trial, constant = slope(by_trials, "trials")
    a_unit, unit_constant = slope(by_units, "units")
    largest = by_trials[-1]
    ratio = (largest["wall"] - constant) / (by_trials[-2]["wall"] - constant)
    more = largest["trials"] / by_trials[-2]["trials"]
    text = f"""# Scaling: time against trials and units

Written by `make bench-scaling` ({time.strftime('%Y-%m-%d')}; {machine()}; {options.workers} workers;
{options.runs} runs each, medians). Trials are as small as they get: 1 step of a network with one hidden layer on digits, no
metrics, so that what is left is orchestration. **Overhead** is wall time times workers less the trainers' own training and
measuring seconds: starting the programs, leases, pipes, encoding, staging, verifying, publishing, compacting.

## More trials of the same {WIDTHS} shapes

{HEADER}{''.join(map(row, by_trials))}
Least squares: {constant:.2f} s to start and end, and {1e3 * a_trial:.3f} ms wall a trial. Linear: {more:.0f} times the trials take {ratio:.2f}
times the time beyond the constant. **Overhead of each further trial: {marginal_overhead(by_trials, 'trials', options.workers):.3f} ms** (between the two largest sweeps); over the whole largest
sweep, constant included, {largest['overhead_ms']:.3f} ms.

## More units of 10 trials each

{HEADER}{''.join(map(row, by_units))}
Least squares: {unit_constant:.2f} s and {1e3 * a_unit:.2f} ms wall a unit; overhead of each further unit
{marginal_overhead(by_units, 'units', options.workers):.2f} ms. It includes the durable steps of a commit (staged files, the log, the final names and their folders, each
synchronised to disk), so that it depends on the disk; sweeps of many tiny shapes pay it for few trials. Where a shape has the trials, a unit
is up to 30 s of training.
"""
    if options.write:
        options.write.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
