"""What this machine's f32 matrix products allow.

`gflops`: the best rate of one large product on all cores. `products`: for each workload the trials/s if nothing were
done but the matrix products of training, at the workload's own shapes, as stacked_torch.py makes them, a process per core.
Prints JSON.
"""

import argparse
import json
import multiprocessing
import os
import time

import torch

import data
import workload
from stacked_torch import stacks

LARGE = 2048


def large_product(device):
    """GFLOP/s of the best of many products [2048, 2048] x [2048, 2048]."""
    left, right = torch.rand(2, LARGE, LARGE, device=device)
    into = torch.empty_like(left)
    seconds = [timed(lambda: torch.mm(left, right, out=into), 1, device) for _ in range(40)]
    return 2 * LARGE**3 / min(seconds) / 1e9


def timed(call, repeats, device):
    """Seconds of a call."""
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    if device != "cpu":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / repeats


def start(device):
    """Prepares a process."""
    global DEVICE
    torch.set_num_threads(1)
    DEVICE = device


def products(item):
    """Seconds that the products of all steps of a stack take, the best of a few tries."""
    points, inputs = item
    point, trials = points[0], len(points)
    seeds = len({point.seed for point in points})
    sizes = point.layer_sizes(inputs, data.CLASSES)
    batch = point.batch_size
    weights = [torch.rand(trials, units, fan_in, device=DEVICE) for fan_in, units in sizes]
    values = [torch.rand(trials, units, batch, device=DEVICE) for _, units in sizes]
    rows = torch.rand(seeds, batch, inputs, device=DEVICE)
    first, below = weights[0].view(seeds, -1, inputs), values[0].view(seeds, -1, batch)

    def step():
        torch.bmm(first, rows.mT)
        torch.bmm(below, rows)
        for weight, lower, upper in zip(weights[1:], values[:-1], values[1:]):
            torch.bmm(weight, lower)
            torch.bmm(weight.mT, upper)
            torch.bmm(upper, lower.mT)

    step()
    return point.steps * min(timed(step, 5, DEVICE) for _ in range(5))


def main():
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweeps", nargs="*")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    found = {"products": {}}
    largest = 64 if options.device == "cpu" else 1 << 20
    with multiprocessing.get_context("spawn").Pool(options.processes, start, [options.device]) as pool:
        for path in options.sweeps:
            chosen = workload.read(path)
            inputs = data.INPUTS[chosen.task]
            items = [(stack, inputs) for points in chosen.shapes().values() for stack in stacks(points, largest)]
            seconds = sum(pool.map(products, items, chunksize=1)) / options.processes
            found["products"][chosen.name] = len(chosen.points) / seconds
    torch.set_num_threads(options.processes)
    found["gflops"] = large_product(options.device)
    print(json.dumps(found))


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
