"""A workload: the grid of a sweep file, as points, and what training one point costs.

Reads the part of a sweep file that the workloads use: task, [fixed], [axes]. Everything else of it, and every
hyperparameter the peers do not know, is an error, so that no peer quietly does other work than phasegrid.

`python3 workload.py FILE` prints the points as JSON.
"""

import itertools
import json
import math
import sys
from dataclasses import dataclass, replace

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

# What the peers train: ReLU networks, cross entropy, plain SGD, weights and biases U(+-1/sqrt(fan_in)).
IMPLIED = {"optimizer": "sgd", "activation": "relu", "loss": "cross_entropy", "init": "fan_in_uniform"}
# Hyperparameters that peers vary, in the order of `Point`.
VARIED = ("depth", "width", "batch_size", "learning_rate", "seed", "steps")
PROBE_ROWS = 1000


@dataclass(frozen=True)
class Point:
    """One trial."""

    depth: int
    width: int
    batch_size: int
    learning_rate: float
    seed: int
    steps: int

    @property
    def shape(self):
        """What trials must share to be one batched network."""
        return (self.depth, self.width, self.batch_size, self.steps)

    @property
    def key(self):
        """Identifies the trial in every program's results."""
        return (self.depth, self.width, self.batch_size, f"{self.learning_rate:.9g}", self.seed)

    def layer_sizes(self, inputs, classes):
        """(fan in, units) of each layer."""
        sizes = [inputs] + [self.width] * self.depth + [classes]
        return tuple(zip(sizes[:-1], sizes[1:]))

    def training_flops(self, inputs, classes):
        """Multiplications and additions of the matrix products of all steps: forward, gradient of the weights, and
        derivative of the inputs of every layer but the first."""
        sizes = self.layer_sizes(inputs, classes)
        weights = [fan_in * units for fan_in, units in sizes]
        per_row = 2 * (2 * sum(weights) + sum(weights[1:]))
        return self.steps * self.batch_size * per_row

    def evaluation_flops(self, inputs, classes, rows):
        """The same for one evaluation of `rows` rows."""
        return 2 * rows * sum(fan_in * units for fan_in, units in self.layer_sizes(inputs, classes))


@dataclass(frozen=True)
class Workload:
    """The trials of a sweep file, in grid order."""

    name: str
    task: str
    points: tuple

    def shapes(self):
        """The trials of each shape, those of one seed together: {shape: [Point]}."""
        groups = {}
        for point in sorted(self.points, key=lambda point: (point.seed, point.learning_rate)):
            groups.setdefault(point.shape, []).append(point)
        return groups

    def smaller(self):
        """A small part of the workload, to try things out."""
        def first(name, count):
            return set(sorted({getattr(point, name) for point in self.points})[:count])

        rates = sorted({point.learning_rate for point in self.points})
        kept = {"depth": first("depth", 2), "width": first("width", 2), "seed": first("seed", 2),
                "learning_rate": {rates[0], rates[len(rates) // 2], rates[-1]}}
        points = [replace(point, steps=point.steps // 4) for point in self.points
                  if all(getattr(point, name) in values for name, values in kept.items())]
        return replace(self, name=f"{self.name}-quick", points=tuple(points))

    def sweep_file(self, metrics=()):
        """The text of a sweep file with exactly these points, metrics at the last step only."""
        values = {name: sorted({getattr(point, name) for point in self.points}) for name in VARIED}
        (steps,) = values.pop("steps")
        assert math.prod(map(len, values.values())) == len(self.points), "the points are no product"
        axes = "\n".join(f"{name} = {json.dumps(listed)}" for name, listed in values.items())
        return (f'name = "{self.name}"\ntask = "{self.task}"\n[fixed]\noptimizer = "sgd"\nsteps = {steps}\n'
                f'[axes]\n{axes}\n[measure]\nmetrics = {json.dumps(list(metrics))}\nat = "last"\nhistory = 0\n')


def axis_values(axis):
    """The values of an axis, as docs/sweep-file.md defines its forms."""
    if isinstance(axis, list):
        return axis
    if set(axis) == {"range"}:
        return list(range(*axis["range"]))
    if set(axis) == {"log", "points"}:
        (low, high), count = axis["log"], axis["points"]
        return [float(f"{low * (high / low) ** (i / (count - 1)):.12g}") for i in range(count)]
    raise SystemExit(f"axis {axis}: this form is not known to the peers")


def read(path):
    """The workload of a sweep file."""
    with open(path, "rb") as file:
        sweep = tomllib.load(file)
    unknown = set(sweep) - {"name", "task", "fixed", "axes", "measure"}
    fixed = dict(sweep.get("fixed", {}))
    for name, value in IMPLIED.items():
        if fixed.pop(name, value) != value:
            unknown.add(name)
    axes = {**{name: [value] for name, value in fixed.items()}, **sweep.get("axes", {})}
    unknown |= set(axes) - set(VARIED)
    missing = set(VARIED) - set(axes)
    if unknown or missing:
        raise SystemExit(f"{path}: unknown to the peers: {sorted(unknown)}; missing: {sorted(missing)}")
    values = [axis_values(axes[name]) for name in VARIED]
    points = tuple(Point(*combination) for combination in itertools.product(*values))
    return Workload(sweep["name"], sweep["task"], points)


if __name__ == "__main__":
    workload = read(sys.argv[1])
    print(json.dumps([{"task": workload.task, **vars(point)} for point in workload.points]))
