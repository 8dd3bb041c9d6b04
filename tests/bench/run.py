"""`make bench`: phasegrid and its peers on the same workloads, in turn; a table, and docs/benchmarks.md.

Environment: PHASEGRID (program), PHASEGRID_DATA (folder with mnist/), ROUNDS, RAY_ROUNDS, QUICK=1 (a small part of each
workload, nothing written to docs).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import agreement
import data
import machine
import namespace
import report
import workload
from programs import HERE, PROGRAMS, Failed, Runner

ROOT = HERE.parents[1]
REPRODUCE = """Again: `make bench`; `ROUNDS=5 make bench` for more rounds, `make bench QUICK=1` to try it out. R1 needs MNIST's
test files below PHASEGRID_DATA. The peers stand in `tests/bench`, their versions in `tests/bench/requirements*.txt`."""
METRICS = ("order", "lmap", "sample_basin", "weight_basin")


def arguments():
    """The command line, its defaults from the environment."""
    environment = os.environ.get
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", nargs="+", default=["r1", "r2"])
    parser.add_argument("--programs", nargs="+", default=list(PROGRAMS), choices=list(PROGRAMS))
    parser.add_argument("--rounds", type=int, default=int(environment("ROUNDS") or 3))
    parser.add_argument("--ray-rounds", type=int, default=int(environment("RAY_ROUNDS") or 1))
    parser.add_argument("--quick", action="store_true", default=environment("QUICK") not in (None, "", "0"))
    parser.add_argument("--no-metrics", action="store_true", help="leave out the cost of the metrics")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--workers", type=int, help="trainers of phasegrid; as --processes if not given")
    parser.add_argument("--phasegrid", default=environment("PHASEGRID") or str(ROOT / "target/release/phasegrid"))
    parser.add_argument("--data", default=environment("PHASEGRID_DATA"))
    parser.add_argument("--doc", default=str(ROOT / "docs/benchmarks.md"))
    parser.add_argument("--command", default="make bench", help="how the page says it was made")
    return parser.parse_args()


class Bench:
    """One call of the program."""

    def __init__(self, options, scratch):
        self.options, self.scratch, self.skipped, self.problems = options, scratch, [], []
        self.folder = self.mnist_folder()
        count = options.processes
        on_gpu = options.device != "cpu"
        processes = {"": count, "phasegrid": options.workers or count}
        if on_gpu:  # stacks fill the device one at a time
            processes |= {"stacked PyTorch": 1, "stacked PyTorch, autograd": 1}
        self.runner = Runner(options.phasegrid, scratch, self.folder, options.device, processes)
        self.programs = [PROGRAMS[name] for name in PROGRAMS if name in options.programs and self.can_run(name)]
        self.workloads = list(filter(None, map(self.load, options.workloads)))
        self.results = {chosen.name: [] for chosen, _, _ in self.workloads}
        self.measured = {chosen.name: [] for chosen, _, _ in self.workloads}
        self.limits = []

    def mnist_folder(self):
        """A folder with MNIST's test files alone, so that the split is the workload's whatever else is there."""
        files = [data.mnist_file(self.options.data, name) for name in data.MNIST_FILES]
        if not all(files):
            return None
        folder = self.scratch / "data"
        (folder / "mnist").mkdir(parents=True)
        for path in files:
            shutil.copyfile(path, folder / "mnist" / path.name)
        return str(folder)

    def can_run(self, name):
        """Whether a program runs here; Ray needs a network namespace."""
        if name != "Ray Tune":
            return True
        possible = namespace.can_be_made()
        if not possible:
            self.skip("Ray Tune: it listens on every network interface, and no network namespace can be made here to keep it in")
        return possible

    def skip(self, text):
        """Says what is left out, now and on the page."""
        print(f"SKIPPED {text}", flush=True)
        self.skipped.append(text + ".")

    def load(self, name):
        """(workload, its sweep file, that with metrics or None), or None where the data are missing."""
        path = ROOT / f"sweeps/bench-{name}.toml"
        chosen = workload.read(path)
        if chosen.task == "mnist" and not self.folder:
            self.skip(f"{name.upper()}: no MNIST; set PHASEGRID_DATA to a folder with mnist/{data.MNIST_FILES[0]} (or .gz) "
                      "and its labels")
            return None
        with_metrics = ROOT / f"sweeps/bench-{name}-metrics.toml"
        if self.options.quick:
            chosen = chosen.smaller()
            path, with_metrics = self.scratch / f"{name}.toml", self.scratch / f"{name}-metrics.toml"
            path.write_text(chosen.sweep_file())
            with_metrics.write_text(chosen.sweep_file(METRICS))
        return chosen, path, None if self.options.no_metrics or not with_metrics.exists() else with_metrics

    def warm_up(self):
        """Every program once on a small part, so that the first round finds files cached."""
        small = workload.read(ROOT / "sweeps/bench-r2.toml").smaller()
        path = self.scratch / "warm-up.toml"
        path.write_text(small.sweep_file())
        for program in self.programs:
            self.runner.run(program, path)

    def round(self, number):
        """Every program on every workload, once."""
        for chosen, path, with_metrics in self.workloads:
            runs = {}
            for program in self.programs:
                if program.name == "Ray Tune" and number >= self.options.ray_rounds:
                    continue
                for run in self.runner.run(program, path):
                    runs[run.program] = run
                    print(f"round {number + 1}  {chosen.name}  {run.program:26} {len(chosen.points) / run.seconds:8.1f} trials/s  "
                          f"{run.seconds:7.1f} s", flush=True)
            reference = runs["phasegrid"]
            for problem in agreement.disagreements(chosen.points, reference.accuracies, runs.values()):
                print(f"DISAGREES {chosen.name}: {problem}", flush=True)
                self.problems.append(f"{chosen.name}: {problem}")
            self.results[chosen.name].append(runs)
            if with_metrics:
                (run,) = self.runner.run(PROGRAMS["phasegrid"], with_metrics)
                print(f"round {number + 1}  {chosen.name}  phasegrid, default metrics {run.seconds:27.1f} s", flush=True)
                self.measured[chosen.name].append((reference, run))
        self.limits.append(self.limit())

    def limit(self):
        """What the matrix products allow, now."""
        options = self.options
        processes = options.processes if options.device == "cpu" else 1
        command = [sys.executable, HERE / "gemm_limit.py", *(path for _, path, _ in self.workloads),
                   "--processes", processes, "--device", options.device]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"gemm_limit.py failed:\n{done.stderr}")
        return json.loads(done.stdout)

    def page(self, load):
        """The Markdown page."""
        options, cpu = self.options, self.options.device == "cpu"
        cores = f"{options.processes} single-threaded processes at once" if cpu else f"the device {options.device}"
        fewer = ""
        if "Ray Tune" in options.programs and options.ray_rounds < options.rounds:
            fewer = f" (Ray Tune, which takes longest, in {options.ray_rounds} of them)"
        processes = {name: f"{self.runner.count(program)} processes" for name, program in PROGRAMS.items()}
        cpu_only = "+cpu" in (machine.version("torch") or "")
        settings = {
            "title": "" if cpu else ", GPU", "command": options.command, "skipped": self.skipped, "processes": processes,
            "means": "Trials a second from process start to written results: phasegrid beside what else one would use.",
            "large": f"2048 x 2048, {'all cores' if cpu else options.device}",
            "cores": cores, "rounds": options.rounds, "fewer": fewer, "load": f"{load:.2f}", "import": f"{import_seconds():.1f}",
            "wheel": "" if cpu_only else ", with the libraries for CUDA that PyTorch's wheel links to",
            "reproduce": REPRODUCE if cpu else "Again: `tests/bench/gpu.sh`; the peers stand in `tests/bench`.",
        }
        measured = {name: pairs for name, pairs in self.measured.items() if pairs}
        chosen = [chosen for chosen, _, _ in self.workloads]
        about = machine.describe(options.phasegrid, options.device)
        return report.document(about, chosen, self.results, self.limits, measured, settings)


def import_seconds():
    """Seconds that importing torch takes, the median of three."""
    def once():
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import torch"], check=True)
        return time.perf_counter() - started

    return median(once() for _ in range(3))


def main():
    """Runs everything; exit status 1 if a program fails or did other work."""
    options = arguments()
    if not os.access(options.phasegrid, os.X_OK):
        raise SystemExit(f"{options.phasegrid} is missing: build it with `make build`, or set PHASEGRID")
    load = os.getloadavg()[0]
    if load > 0.3 * os.cpu_count():
        print(f"NOTE: the load average is {load:.1f}: other work on this machine will show in the times", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        bench = Bench(options, Path(scratch))
        try:
            bench.warm_up()
            for number in range(options.rounds):
                bench.round(number)
        except Failed as failure:
            raise SystemExit(str(failure)) from None
        page = bench.page(load)
    print("\n" + page)
    if bench.problems:
        raise SystemExit("not the same work, so nothing is written:\n" + "\n".join(bench.problems))
    path = Path(options.doc if not options.quick else ROOT / ".bench/quick.md")
    path.parent.mkdir(exist_ok=True)
    path.write_text(page)
    print(f"written to {path}")


if __name__ == "__main__":
    main()
