"""The programs that are compared: how each is started, and where its results are."""

import csv
import io
import json
import math
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Program:
    """A row of the table; `script` and `flags` are None for phasegrid itself."""

    name: str
    sentence: str
    script: str = None
    flags: tuple = ()
    # Name of the second row of a program that runs the workload twice in one process.
    warm: str = None


PROGRAMS = {
    program.name: program
    for program in [
        Program("phasegrid", "`phasegrid run`: coordinator, workers, trainers and published tables"),
        Program("stacked PyTorch", "the trials of one shape as one batched network (`bmm`), samples last, the first layers of "
                "the trials of a seed in one product; backward pass written by hand, updates in place; single-threaded "
                "processes", "stacked_torch.py"),
        Program("stacked PyTorch, autograd", "the same, differentiated by PyTorch", "stacked_torch.py", ("--autograd",)),
        Program("plain PyTorch", "one trial after another: `nn.Sequential`, the fused `torch.optim.SGD`, data in memory, no "
                "`DataLoader`; single-threaded processes, trials handed out largest first", "plain_torch.py"),
        Program("JAX vmap, cold", "the trials of one shape as one `jit`ted `scan` over the steps, `vmap` over seeds and learning "
                "rates, matrix products in full f32; each process has its share of the shapes; new processes, so that every shape "
                "is compiled", "jax_vmap.py", (), "JAX vmap, warm"),
        Program("Ray Tune", "the training of plain PyTorch as a function trainable, one call a trial; as many trials at once as "
                "there are cores, actors used again, loggers, checkpoints and dashboard off", "ray_tune.py"),
    ]
}
WARM_SENTENCE = "the workload once more in the same processes: neither start, imports nor compilation are in the time"


@dataclass(frozen=True)
class Run:
    """One timed run: `accuracies` {point key: final test accuracy, 0 where a trial diverged}."""

    program: str
    seconds: float
    accuracies: dict
    train_seconds: float = None
    measure_seconds: float = None


class Failed(Exception):
    """A program failed: its name and what it said."""


@dataclass(frozen=True)
class Runner:
    """Runs programs in a scratch folder."""

    phasegrid: str
    scratch: Path
    data: str
    device: str
    processes: dict  # program: count; "" for the others

    def count(self, program):
        """Processes of a program."""
        return self.processes.get(program.name, self.processes[""])

    def run(self, program, sweep):
        """The timed runs of one start of a program: one, or cold and warm."""
        return self._phasegrid(program, sweep) if program.script is None else self._peer(program, sweep)

    def _phasegrid(self, program, sweep):
        store = self.scratch / f"store-{time.time_ns()}"
        options = ["--out", store, "--no-figures", "--device", self.device, "--workers", self.count(program)]
        _, seconds = self._timed(program.name, [self.phasegrid, "run", sweep, *options])
        columns = "depth, width, batch_size, learning_rate, seed, status, test_accuracy, train_seconds, measure_seconds"
        query = [self.phasegrid, "query", store, f"SELECT {columns} FROM trials", "--output", "csv"]
        output, _ = self._timed("phasegrid query", query)
        rows = list(csv.DictReader(io.StringIO(output)))
        accuracies = {key(row): float(row["test_accuracy"] or 0) for row in rows}
        sums = [sum(float(row[name]) for row in rows) for name in ("train_seconds", "measure_seconds")]
        return [Run(program.name, seconds, accuracies, *sums)]

    def _peer(self, program, sweep):
        results = self.scratch / "results.csv"
        command = [sys.executable, HERE / program.script, sweep, results, *program.flags, "--device", self.device,
                   "--processes", self.count(program)]
        if self.data:
            command += ["--data", self.data]
        started = time.time()
        _, seconds = self._timed(program.name, command)
        if not program.warm:
            return [Run(program.name, seconds, read_results(results))]
        warm = Path(f"{results}.warm")
        notes, warm_notes = (json.loads(Path(f"{path}.json").read_text()) for path in (results, warm))
        return [
            Run(program.name, notes["written"] - started, read_results(results)),
            Run(program.warm, warm_notes["written"] - warm_notes["started"], read_results(warm)),
        ]

    def _timed(self, name, command):
        environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
        if self.data:
            environment["PHASEGRID_DATA"] = self.data
        started = time.perf_counter()
        done = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True)
        seconds = time.perf_counter() - started
        if done.returncode:
            raise Failed(f"{name} failed with exit status {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout, seconds


def key(row):
    """A trial's identity in a results row, as `workload.Point.key`."""
    rate = f"{float(row['learning_rate']):.9g}"
    return (int(row["depth"]), int(row["width"]), int(row["batch_size"]), rate, int(row["seed"]))


def read_results(path):
    """{point key: test accuracy} of a peer's results."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    finite = {key(row): math.isfinite(float(row["train_loss"]) + float(row["test_loss"])) for row in rows}
    return {key(row): float(row["test_accuracy"]) if finite[key(row)] else 0.0 for row in rows}
