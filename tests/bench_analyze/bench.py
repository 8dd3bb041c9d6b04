#!/usr/bin/env python3
"""Times the analyzer on a store of 10^6 trials, beside pandas, Polars and DuckDB on the same files.

    make bench-analyze            the whole of it, into docs/benchmarks-analyzer.md

Every measurement is a process of its own; the runs of all of them are interleaved. `phasegrid`
is timed from process start to exit, figure written; the libraries without their import and without
a figure. Memory is the process's largest resident size.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIBRARIES = ["pandas", "polars", "duckdb"]
FORMS = ["shards", "compacted"]
GROUP_BY = (
    "SELECT depth, width, learning_rate, AVG(test_accuracy) AS mean, COUNT(*) AS n"
    " FROM trials GROUP BY depth, width, learning_rate"
)
LAYERS = "SELECT depth, layer, AVG(rpd_gradient) AS mean FROM layers GROUP BY depth, layer"
MIB = 1 << 20


def run(command, limit=None):
    """Wall seconds, largest resident MiB, exit code and output of a process. `limit`: bytes of
    private writable memory (RLIMIT_DATA: heap and anonymous mappings, not mapped files)."""

    def prepare():
        if limit:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    started = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, preexec_fn=prepare)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        return {
            "wall": wall,
            "mib": usage.ru_maxrss / 1024,
            "code": process.returncode,
            "stdout": out.read().decode(),
            "stderr": err.read().decode()[-2_000:],
        }


def succeed(command):
    result = run(command)
    if result["code"] != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {result['code']}\n{result['stderr']}")
    return result


def cases(program, stores, scratch):
    """Name and form -> command, and whether the time is the command's own."""
    axes = ["--x", "learning_rate", "--y", "width", "--facet", "depth"]
    all_cases = {}
    for form, store in stores.items():
        def phase(*more):
            return [program, "phase", store, *axes, *more, "--out", scratch / "f.svg"]

        tasks = {
            "phase": phase("--value", "test_accuracy"),
            "phase of layers": phase("--value", "rpd_gradient", "--layer", "first"),
            "group": [program, "query", store, GROUP_BY, "--output", "csv"],
            "layers": [program, "query", store, LAYERS, "--output", "csv"],
        }
        for task, command in tasks.items():
            all_cases[task, "phasegrid", form] = (command, False)
        for library in LIBRARIES:
            for task in ("phase", "group", "layers"):
                command = [sys.executable, HERE / "readers.py", library, task, store, form]
                all_cases[task, library, form] = (command, True)
    return all_cases


def measure(all_cases, runs):
    results = {key: [] for key in all_cases}
    for number in range(runs):
        for key, (command, times_itself) in all_cases.items():
            one = succeed(command)
            if times_itself:
                answer = json.loads(one["stdout"])
                one["seconds"], one["checksum"] = answer["seconds"], answer["checksum"]
            else:
                one["seconds"] = one["wall"]
            results[key].append(one)
        print(f"run {number + 1} of {runs} done", file=sys.stderr, flush=True)
    return results


def check_agreement(results):
    """All readers must have computed the same numbers."""
    for task in ("phase", "group", "layers"):
        found = {
            key: runs[0]["checksum"] for key, runs in results.items() if key[0] == task and "checksum" in runs[0]
        }
        for key, runs in results.items():
            if key[0] == task and key[1] == "phasegrid" and task != "phase":
                lines = runs[0]["stdout"].strip().splitlines()
                column = lines[0].split(",").index("mean")
                values = [line.split(",")[column] for line in lines[1:]]
                found[key] = sum(float(value) for value in values if value)
        least, most = min(found.values()), max(found.values())
        if most - least > 1e-6 * abs(most):
            sys.exit(f"{task}: the readers disagree: {found}")


def cell(runs):
    seconds = [one["seconds"] for one in runs]
    memory = statistics.median(one["mib"] for one in runs)
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f}), {memory:,.0f}"


def table(results, rows):
    text = "| s: median (least to most), MiB at most | shards | compacted |\n|---|---|---|\n"
    for label, task, tool in rows:
        text += f"| {label} | " + " | ".join(cell(results[task, tool, form]) for form in FORMS) + " |\n"
    return text


def same_numbers(one, other):
    """Whether two CSV answers agree, whatever the order of their rows, but for the order of addition."""
    read = lambda text: sorted([float(cell or "nan") for cell in line.split(",")] for line in text.split()[1:])
    pairs = [(a, b) for row in zip(read(one), read(other)) for a, b in zip(*row)]
    return len(one.split()) == len(other.split()) and all(
        a == b or (a != a and b != b) or abs(a - b) <= 1e-9 * max(abs(a), abs(b)) for a, b in pairs
    )


def larger_than_memory(program, stores):
    """A query over every number of `layers`, with less and less memory until it fails."""
    import glob

    import pyarrow.parquet

    files = glob.glob(f"{stores['shards']}/layers/sweep=million/*.parquet")
    schema = pyarrow.parquet.read_schema(files[0])
    numbers = [field.name for field in schema if str(field.type) == "double"]
    rows = sum(pyarrow.parquet.read_metadata(file).num_rows for file in files)
    stored = sum(os.path.getsize(file) for file in files)
    decoded = rows * 8 * len(numbers)
    columns = ", ".join(f"AVG({name}) AS {name}" for name in numbers)
    sql = f"SELECT depth, {columns} FROM layers GROUP BY depth"
    free = succeed([program, "query", stores["compacted"], sql, "--output", "csv"])
    passed, failed = None, None
    for limit in (2048, 1536, 1024, 768, 512, 384, 256, 192, 128, 96, 64):
        result = run([program, "query", stores["compacted"], sql, "--output", "csv"], limit * MIB)
        if result["code"] != 0:
            failed = (limit, result)
            break
        if not same_numbers(result["stdout"], free["stdout"]):
            sys.exit(f"with {limit} MiB the answer is another: {result['stdout']}")
        passed = (limit, result)
    code = (
        "import glob, sys, pandas; rows = pandas.read_parquet(sorted(glob.glob(sys.argv[1])), columns="
        "['depth'] + sys.argv[2:]); rows.groupby('depth').mean()"
    )
    pattern = f"{stores['compacted']}/_compact/layers/sweep=million/*.parquet"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # its buffers would be the first to fail
    pandas = run([sys.executable, "-c", code, pattern, *numbers], passed[0] * MIB if passed else None)
    lines = [
        f"`layers` has {rows:,} rows, {stored / MIB:,.0f} MiB as shards; its {len(numbers)} columns of numbers alone are"
        f" {decoded / MIB:,.0f} MiB decoded (the lists `rpd`, `auc` and `rpd_gradient_class` come on top). A query that reads all of"
        f" them, `SELECT depth, AVG(…) × {len(numbers)} FROM layers GROUP BY depth`, takes {free['wall']:.2f} s and"
        f" {free['mib']:,.0f} MiB resident without a limit (mapped pages of files included)."
    ]
    if passed:
        limit, result = passed
        lines.append(
            f"With private memory limited by the kernel to **{limit} MiB** (`prlimit --data`, heap and anonymous mappings), it still"
            f" ends, in {result['wall']:.2f} s with the same answer (to 1e-9): {100 * limit * MIB / decoded:.0f} % of the decoded numbers."
        )
        end = "fails" if pandas["code"] else "ends"
        lines.append(f"pandas under the same limit {end}{' (' + pandas['stderr'].strip().splitlines()[-1][:80] + ')' if pandas['code'] and pandas['stderr'] else ''}.")
    if failed:
        lines.append(f"With {failed[0]} MiB it fails (exit code {failed[1]['code']}).")
    return "\n".join(lines)


def machine():
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{os.cpu_count()} processors, {model}, {memory:.0f} GiB, Linux {platform.release()}"


def report(options, results, compaction, generated, memory_text):
    versions = [f"{name} {metadata.version(name)}" for name in LIBRARIES]
    versions = ", ".join([f"Python {platform.python_version()}", *versions, f"pyarrow {metadata.version('pyarrow')}"])
    shards = generated["shards"]
    phase = [("`phasegrid phase` (figure included)", "phase", "phasegrid")]
    phase += [(f"{name}, the same statistics", "phase", name) for name in LIBRARIES]
    phase += [("`phasegrid phase --layer first` (of `layers`)", "phase of layers", "phasegrid")]
    group = [("`phasegrid query`", "group", "phasegrid")]
    group += [(name, "group", name) for name in LIBRARIES]
    layers = [("`phasegrid query`", "layers", "phasegrid")]
    layers += [(name, "layers", name) for name in LIBRARIES]
    return f"""# The analyzer on {options.trials:,} trials

Written by `make bench-analyze` ({time.strftime('%Y-%m-%d')}; {machine()}; {versions}). The store comes from
`crates/analyze/examples/million.rs`: a real sweep document, rows through the store crate's own builder, encoder and publish, in units of
{options.per_unit:,} trials ({shards} shards a table), 4 depths x 5 widths x 50 learning rates x {options.trials // 1000:,} seeds. The numbers in it are made up, smooth with noise.
Each measurement is a process of its own, {options.runs} runs, all interleaved, files in the page cache. `phasegrid` is timed from process
start to exit, the figure written; the libraries without their import and without a figure. MiB is the largest resident size, mapped files included.

## Phase diagram, four facets

`phasegrid phase STORE --x learning_rate --y width --facet depth --value test_accuracy --out f.svg`: 1,000 cells, each with counts, mean,
deviation, median and quartiles.

{table(results, phase)}
## SQL, group by

`{GROUP_BY}`

{table(results, group)}
`{LAYERS}`

{table(results, layers)}
## Compacting

`phasegrid compact STORE` (done once, also at the end of every sweep of more than a few shards): {compaction['wall']:.1f} s, {compaction['mib']:,.0f} MiB resident
at most.

```
{compaction['stdout'].strip()}
```

## Tables larger than memory

{memory_text}
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="target/release/phasegrid")
    parser.add_argument("--generator", default="target/release/examples/million")
    parser.add_argument("--scratch", default="target/bench-analyze")
    parser.add_argument("--trials", type=int, default=1_000_000)
    parser.add_argument("--per-unit", type=int, default=4_096)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="keep the store for another time")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    program = str(Path(options.program).resolve())
    scratch = Path(options.scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    stores = {form: scratch / f"{form}-{options.trials}-{options.per_unit}" for form in FORMS}
    if not stores["compacted"].is_dir():
        shutil.rmtree(stores["shards"], ignore_errors=True)
        made = succeed([options.generator, stores["shards"], str(options.trials), str(options.per_unit)])
        print(made["stdout"].strip(), file=sys.stderr, flush=True)
        shutil.copytree(stores["shards"], stores["compacted"], copy_function=os.link)
    shutil.rmtree(stores["compacted"] / "_compact", ignore_errors=True)
    compaction = succeed([program, "compact", stores["compacted"]])
    print(compaction["stdout"], file=sys.stderr, flush=True)
    shards = len(list((stores["shards"] / "trials" / "sweep=million").iterdir()))
    all_cases = cases(program, stores, scratch)
    results = measure(all_cases, options.runs)
    check_agreement(results)
    text = report(options, results, compaction, {"shards": shards}, larger_than_memory(program, stores))
    if options.write:
        options.write.write_text(text)
    print(text)
    if not options.keep:
        for store in stores.values():
            shutil.rmtree(store)


if __name__ == "__main__":
    main()
