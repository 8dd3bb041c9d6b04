"""What the peers share: their command line, a process per core, and the results file."""

import argparse
import csv
import json
import multiprocessing
import os
import time
from dataclasses import dataclass

import data
import workload

COLUMNS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")


@dataclass(frozen=True)
class Result:
    """A trial at its end."""

    point: workload.Point
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


def arguments(description, **more):
    """The command line; `more` are flags of one peer (name: help)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("sweep", help="sweep file")
    parser.add_argument("results", help="CSV to write")
    parser.add_argument("--data", help="folder of IDX data")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu")
    for name, text in more.items():
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=text)
    return parser.parse_args()


def load(options):
    """The workload and its data."""
    chosen = workload.read(options.sweep)
    return chosen, data.load(chosen.task, options.data)


def run_pool(items, cost, train, initialise, processes):
    """Results of `train(item)`, a list each, on processes that take the next item, largest first, when they are free.

    Processes are forked, so that they share what this one has loaded."""
    items = sorted(items, key=cost, reverse=True)
    context = multiprocessing.get_context("fork")
    with context.Pool(processes, initialise) as pool:
        return [result for results in pool.imap_unordered(train, items) for result in results]


def write(path, results, notes=None):
    """One line a trial; `notes` go beside it as JSON, with the time of writing."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(workload.VARIED + COLUMNS)
        for result in results:
            row = {**vars(result.point), **vars(result)}
            writer.writerow([row[name] for name in workload.VARIED + COLUMNS])
    with open(f"{path}.json", "w") as file:
        json.dump({"written": time.time(), **(notes or {})}, file)
