"""Recomputes every measured column of a store from the saved weights and the data, in NumPy, from
the definitions in docs/metrics.md alone. What rests on keyed draws is compared with NumPy's own.

recompute.py STORE SWEEP digits digits.bin.gz | mnist FOLDER

The sweep has save_weights = "all" and measures step 0 and the last. Every column that the tables
mark as a measured quantity, and that has a value anywhere, must have been compared.
"""

import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet

import basins
import curvature
import events
import networks
import ordering
from comparison import Comparison
from networks import Data, Network

np.seterr(invalid="ignore", divide="ignore")  # 0/0 is an answer here: the tables have null there

RESAMPLES = 150
NO_BASIN = ("diverged", "untrained", "collapsed")


def tables(store, sweep):
    """Rows by table, and the names of the measured columns that have a value."""
    rows, measured = {}, {}
    for name in ("trials", "history", "layers", "basins"):
        folder = store / name / f"sweep={sweep}"
        files = [parquet.read_table(path) for path in sorted(folder.glob("*.parquet"))]
        rows[name] = [row for file in files for row in file.to_pylist()]
        for file in files:
            for field in file.schema:
                is_measured = b"mark" in (field.metadata or {})
                if is_measured and file[field.name].null_count < file.num_rows:
                    measured.setdefault(field.name, name)
    return rows, measured


def by_trial(rows):
    grouped = defaultdict(list)
    for row in rows:
        grouped[row["trial_id"]].append(row)
    return grouped


class Trial:
    """One trial with its rows, its networks and its probe."""

    def __init__(self, store, sweep, data, rows, trial):
        self.row, self.data, self.id = trial, data, trial["trial_id"]
        self.history = sorted(rows["history"][self.id], key=lambda row: row["step"])
        self.layers, self.basins = rows["layers"][self.id], rows["basins"][self.id]
        self.depth, self.last = trial["depth"], trial["steps"]
        self.networks, self.probes = {}, {}
        for step in (0, self.last):
            path = store / f"weights/sweep={sweep}/{self.id}-{step}.safetensors"
            tensors, self.metadata = networks.read_safetensors(path)
            self.networks[step] = Network.of_tensors(tensors, self.depth, trial["activation"])
            self.index, self.labels = tensors["probe_index"], tensors["probe_label"]
        self.x, self.clean = data.pixels[self.index], data.classes[self.index]
        self.test = data.pixels[data.test], data.classes[data.test]
        self.classes = int(data.classes.max()) + 1

    def check_probe(self):
        rows, metadata = len(self.index), self.metadata
        assert len(set(self.index)) == rows and self.index.max() < self.data.train.stop
        assert metadata["trial_id"] == self.id and int(metadata["step"]) == self.last, metadata
        assert int(metadata["probe_rows"]) == rows <= int(metadata["probe_samples"]), metadata
        assert (metadata["probe_cut"] == "true") == (rows < int(metadata["probe_samples"])), metadata
        noise, expected = (self.labels != self.clean).mean(), self.row["label_noise"]
        assert (noise == 0) if expected == 0 else abs(noise - expected) < 0.12, noise
        sizes = np.bincount(self.clean, minlength=self.classes)
        assert sizes.max() - sizes.min() <= 1, f"the probe is unbalanced: {sizes}"


def compare_layers(result, trial, step):
    """The rows of `layers`; returns what the phase is told from."""
    network, start = trial.networks[step], trial.networks[0]
    forward = network.forward(trial.x)
    own = sorted((r for r in trial.layers if r["step"] == step), key=lambda row: row["layer"])
    assert [row["layer"] for row in own] == list(range(1, trial.depth + 1))
    gradients, dead = [], []
    for row in own:
        layer = row["layer"]
        probe = trial.x, trial.labels, forward
        values, slack = ordering.layer_values(row, network, start, probe, trial.test, layer)
        where = f"{trial.id[:8]} step {step} layer {layer}"
        for name, value in values.items():
            scale = max(1.0, float(np.abs(np.asarray(value)).max()))
            result.of(where, name, row[name], value, 1e-5 * scale + slack.get(name, 0))
        # As the trainer ranked them, so that a slope tells of itself alone.
        gradients.append(row["rpd_gradient"])
        dead.append(values["dead_fraction"])
    return np.array(gradients), dead


def compare_errors(result, trial, step, generator):
    """Standard errors by the resamples: ours are others, and more."""
    network = trial.networks[step]
    h = network.forward(trial.x)[0]
    resamples = ordering.within_class_resamples(trial.labels, RESAMPLES, generator)
    layers = range(1, trial.depth + 1)
    gradients = np.array(
        [
            ordering.resampled_gradients(
                h[layer], np.sign(network.linear_map(layer)), trial.labels, resamples
            )
            for layer in layers
        ]
    ).T
    # ln of a standard deviation of n values has variance 1/(2 (n - 1)).
    factor = math.exp(5 * math.sqrt(1 / (2 * 49) + 1 / (2 * (RESAMPLES - 1))))
    for row in (r for r in trial.layers if r["step"] == step):
        own = gradients[:, row["layer"] - 1].std()
        where = f"{trial.id[:8]} step {step} layer {row['layer']}"
        low, high = own / factor - 1e-9, own * factor + 1e-9
        result.within(where, "rpd_gradient_se", row["rpd_gradient_se"], low, high)
    if trial.depth > 1:
        own = events.slope(gradients).std()
        stored = next(r for r in trial.history if r["step"] == step)["phase_slope_se"]
        where = f"{trial.id[:8]} step {step}"
        # A single unit a layer may have no error at all.
        low, high = own / factor - 1e-9, own * factor + 1e-9
        result.within(where, "phase_slope_se", stored, low, high)


def compare_losses(result, trial, step, row, where):
    network, kind = trial.networks[step], trial.row["loss"]
    z, z_test = network.logits(trial.x), network.logits(trial.test[0])
    values = {
        "train_accuracy": networks.accuracy(z, trial.labels),
        "train_accuracy_clean": networks.accuracy(z, trial.clean),
        "test_accuracy": networks.accuracy(z_test, trial.test[1]),
        "train_loss": networks.loss(z, trial.labels, kind),
        "test_loss": networks.loss(z_test, trial.test[1], kind),
        "train_accuracy_batch": math.nan,
        "test_accuracy_batch": math.nan,
    }
    if network.has_batch_norm():
        values["train_accuracy_batch"] = networks.batch_accuracy(network, trial.x, trial.labels)
        values["test_accuracy_batch"] = networks.batch_accuracy(network, *trial.test)
    for name, value in values.items():
        # One row of the rounded logits may tie the other way.
        slack = 1.01 / len(trial.test[0]) if name.endswith("_batch") else 0
        result.of(where, name, row[name], value, 1e-5 * max(1.0, abs(value)) + slack)
    return values


def compare_history(result, trial, step, gradients, dead):
    """The row of `history` at a measured step, and the phase there."""
    row = next(r for r in trial.history if r["step"] == step)
    where = f"{trial.id[:8]} step {step}"
    values = compare_losses(result, trial, step, row, where)
    parts = [layer[name] for layer in trial.networks[step].layers for name in ("weight", "bias")]
    norm = math.sqrt(sum((part**2).sum() for part in parts))
    result.of(where, "weight_norm", row["weight_norm"], norm, 1e-5 * norm)
    s = v = math.nan
    if trial.depth > 1:
        s = events.slope(gradients)
        v = gradients.std() / gradients.mean() if gradients.mean() > 0 else math.nan
        result.of(where, "phase_slope", row["phase_slope"], s, 1e-4)
        result.of(where, "phase_spread", row["phase_spread"], v, 1e-4 * max(1, abs(v)))
    start = networks.loss(trial.networks[0].logits(trial.x), trial.labels, trial.row["loss"])
    limit = events.guessing(trial.labels, trial.classes)
    expected = events.phase(
        trial.depth,
        values["train_accuracy"],
        # At step 0 itself rounding must not decide.
        min(values["train_loss"], start) if step == 0 else values["train_loss"],
        start,
        dead,
        limit,
        s,
        row["phase_slope_se"],
        v if math.isfinite(v) else None,
    )
    result.exactly(where, "phase", row["phase"], expected)


def compare_curvature(result, trial, step, row, where, generator):
    if row["sharpness"] is None and row["ntk_change"] is None:
        return
    network, kind = trial.networks[step], trial.row["loss"]
    largest = curvature.sharpness(network, trial.x, trial.labels, kind, generator)
    result.within(where, "sharpness", row["sharpness"], 0.97 * largest, 1.001 * largest)
    at_edge = None
    if trial.row["optimizer"] == "sgd":
        at_edge = trial.row["learning_rate"] * row["sharpness"] / (2 * (1 + trial.row["momentum"]))
    result.of(where, "lr_sharpness", row["lr_sharpness"], math.nan if at_edge is None else at_edge, 1e-9)
    noise = curvature.noise_scale(network, trial.x, trial.labels, kind)
    result.of(where, "noise_scale", row["noise_scale"], noise, 1e-3 * abs(noise))
    change = curvature.ntk_change(network, trial.networks[0], trial.x)
    result.of(where, "ntk_change", row["ntk_change"], change, 1e-4)


def compare_basins(result, trial, generator):
    """Those of the last step, and the headlines in `trials`."""
    if not trial.basins:
        return
    network = trial.networks[trial.last]
    for space, column in (("sample", "sample_basin"), ("weight", "weight_basin")):
        own = [r for r in trial.basins if r["space"] == space and r["step"] == trial.last]
        basins.compare(
            result, trial.id[:8], own, network, trial.x, trial.labels, space, generator
        )
        headline = next(r for r in own if r["scope"] == "all" and r["threshold"] == 0.5)
        expected = None if trial.row["phase"] in NO_BASIN else headline["radius"]
        result.exactly(trial.id[:8], column, trial.row[column], expected)


def compare_summaries(result, trial, nearest):
    """What `trials` has of the other tables."""
    row, where, last = trial.row, trial.id[:8], trial.history[-1]
    at_the_end = [r for r in trial.layers if r["step"] == trial.last]
    for name in ("rpd_gradient", "opt_fraction"):
        values = [r[name] for r in at_the_end]
        mean = math.nan if None in values else np.mean(values)
        result.of(where, name, row[name], mean, 1e-9)
    for name in ("phase", "sharpness", "lr_sharpness", "noise_scale", "ntk_change"):
        result.exactly(where, name, row[name], last[name])
    assert row["sharpness_initial"] == trial.history[0]["sharpness"], where
    result.note("sharpness_initial")
    first = sorted((r for r in trial.layers if r["layer"] == 1), key=lambda r: r["step"])
    points = [(r["step"], r["rpd_gradient"], r["rpd_gradient_se"]) for r in first]
    result.exactly(where, "onset_mixed_step", row["onset_mixed_step"], events.onset_mixed_step(points))
    limit = events.guessing(trial.test[1], trial.classes)
    for name, value in events.fit_steps(trial.history, limit).items():
        result.exactly(where, name, row[name], value)
    if row["nearest_train_rms"] is not None:
        result.of(where, "nearest_train_rms", row["nearest_train_rms"], nearest(), 1e-5)


def nearest_train_rms(data):
    """Median over the first 2,000 test rows of the rms distance to the nearest training row."""
    train, test = data.pixels[data.train], data.pixels[data.test][:2_000]
    squares, rms = (train**2).sum(1), []
    for start in range(0, len(test), 200):
        rows = test[start : start + 200]
        nearest = train[(squares - 2 * rows @ train.T).argmin(1)]
        rms.append(np.sqrt(np.square(nearest - rows).mean(1)))
    return np.median(np.concatenate(rms))


def main():
    store, sweep, task, source = Path(sys.argv[1]), *sys.argv[2:5]
    data = Data.digits(source) if task == "digits" else Data.mnist(source)
    rows, measured = tables(store, sweep)
    grouped = {name: by_trial(rows[name]) for name in ("history", "layers", "basins")}
    result, generator, cache = Comparison(), np.random.default_rng(20), {}
    nearest = lambda: cache.setdefault("rms", cache.get("rms") or nearest_train_rms(data))
    for row in rows["trials"]:
        trial = Trial(store, sweep, data, grouped, row)
        trial.check_probe()
        for step in (0, trial.last):
            gradients, dead = compare_layers(result, trial, step)
            compare_errors(result, trial, step, generator)
            compare_history(result, trial, step, gradients, dead)
            where, of_step = f"{trial.id[:8]} step {step}", next(
                r for r in trial.history if r["step"] == step
            )
            compare_curvature(result, trial, step, of_step, where, generator)
        compare_losses(result, trial, trial.last, row, trial.id[:8])
        compare_basins(result, trial, generator)
        compare_summaries(result, trial, nearest)
    # Some columns are null where no network gets so far; these have a value in every sweep.
    always = {"train_loss", "test_accuracy", "phase_slope", "weight_norm", "rpd", "rpd_gradient_se", "lmap_tau"}
    assert always <= set(measured), f"the fields' metadata do not say what is measured: {always - set(measured)}"
    forgotten = {f"{table}.{name}" for name, table in measured.items() if name not in result.compared}
    assert not forgotten, f"not compared: {forgotten}"
    accuracies = [row["test_accuracy"] for row in rows["trials"]]
    assert max(accuracies) > 0.6, "no network learned: there is nothing to see"
    total = sum(result.compared.values())
    print(f"{len(accuracies)} trials: {total} values of {len(result.compared)} columns agree")
    if result.differences:
        print(f"but {len(result.differences)} do not:")
        print("\n".join(result.differences[:40]))
        sys.exit(1)


main()
