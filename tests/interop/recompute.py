"""Recomputes the tables `layers` and `trials` from saved weights and the bundled digits, in NumPy,
from the definitions in docs/metrics.md, sections 0 to 2 and 6.

recompute.py STORE DIGITS.bin.gz; the sweep has save_weights = "all" and measures step 0 and the last.
"""

import gzip
import json
import math
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet

np.seterr(invalid="ignore")  # 0/0 is an answer here: the tables have null there

store = Path(sys.argv[1])
EPS = 1e-5  # of batch norm
ACTIVATIONS = {"relu": lambda h: np.maximum(h, 0), "tanh": np.tanh, "identity": lambda h: h}

rows = np.frombuffer(gzip.decompress(Path(sys.argv[2]).read_bytes()), dtype=np.uint8)
rows = rows.reshape(1797, 65)
PIXELS, DIGITS = rows[:, :64] / 16.0, rows[:, 64].astype(int)
TEST = slice(1500, 1797)


def read_safetensors(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    kinds = {"F32": np.float32, "I64": np.int64}
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            values = np.frombuffer(data[start:end], dtype=kinds[entry["dtype"]])
            tensors[name] = values.reshape(entry["shape"]).astype(
                float if entry["dtype"] == "F32" else int
            )
    return tensors


class Network:
    def __init__(self, tensors, depth, activation):
        self.depth, self.f = depth, ACTIVATIONS[activation]
        self.layers = []
        for number in range(1, depth + 2):
            prefix = f"layers.{number}."
            part = {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
            # Batch norm in evaluation mode is one more affine map.
            scale, shift = np.ones(len(part["bias"])), np.zeros(len(part["bias"]))
            if "bn_gamma" in part:
                scale = part["bn_gamma"] / np.sqrt(part["bn_var"] + EPS)
                shift = part["bn_beta"] - scale * part["bn_mean"]
            self.layers.append((part["weight"], part["bias"], scale, shift))

    def weight(self, layer):
        return self.layers[layer - 1][0]

    def affine(self, layer, x):
        weight, bias, scale, shift = self.layers[layer - 1]
        return (x @ weight.T + bias) * scale + shift

    def forward(self, x):
        """h^(l), y^(l) for l = 1..D, and the logits."""
        h, y = {}, {0: x}
        for layer in range(1, self.depth + 1):
            h[layer] = self.affine(layer, y[layer - 1])
            y[layer] = self.f(h[layer])
        return h, y, self.affine(self.depth + 1, y[self.depth])

    def tail(self, layer, y):
        """Logits with every activation above the layer the identity."""
        for above in range(layer + 1, self.depth + 2):
            y = self.affine(above, y)
        return y

    def linear_map(self, layer):
        """M^(l), [K, n_l]."""
        product = self.weight(self.depth + 1)
        for below in range(self.depth, layer, -1):
            weight, _, scale, _ = self.layers[below - 1]
            product = product @ (scale[:, None] * weight)
        return product


def average_ranks(values):
    """Ranks from 1, ties share their mean."""
    below = (values[None, :] < values[:, None]).sum(1)
    equal = (values[None, :] == values[:, None]).sum(1)
    return below + (equal + 1) / 2


def kendall_tau_b(a, b):
    upper = np.triu_indices(len(a), 1)
    da = np.sign(a[:, None] - a[None, :])[upper]
    db = np.sign(b[:, None] - b[None, :])[upper]
    untied = math.sqrt(float((da != 0).sum()) * float((db != 0).sum()))
    return (da * db).sum() / untied if untied else math.nan


def order(h, y, m, labels):
    """Section 2 for one layer. Returns values and, for shares, how far rounding may move them."""
    samples, units = h.shape
    classes = m.shape[0]
    pi = np.array([(labels == k).mean() for k in range(classes)])
    ranks = np.array([average_ranks(h[:, i]) for i in range(units)])  # [n, P]
    u = (ranks - 0.5) / samples
    spread = y.std(0)

    def signed(weights):
        """ubar[k, i] of s_ki h_i over class k: a negative sign mirrors ranks, zero ties them all."""
        sign = np.sign(weights)
        mean = np.array([u[:, labels == k].mean(1) for k in range(classes)])
        return 0.5 + sign * (mean - 0.5)

    def summary(weights):
        ubar = signed(weights)
        auc = (ubar - pi[:, None] / 2) / (1 - pi[:, None])
        cell = np.abs(weights) * spread
        total = cell.sum()
        near = [cell[np.abs(auc - edge) < 1e-5].sum() for edge in (0.6, 0.4)]
        return ubar, auc, cell / total if total else cell * math.nan, near[0] / total, near[1] / total

    ubar, auc, share, near_opt, near_anti = summary(m)
    centred_ubar, centred_auc, centred_share, near_centred, _ = summary(m - m.mean(0))
    opt, anti = share[auc > 0.6].sum(), share[auc < 0.4].sum()
    density = np.zeros(20)
    for k in range(classes):
        for i in range(units):
            s = np.sign(m[k, i])
            ranked = 0.5 + s * (u[i, labels == k] - 0.5)
            density += np.histogram(ranked, 20, (0, 1))[0] / ((labels == k).sum() * units) * 20
    values = {
        "rpd_gradient": 12 * (ubar.mean() - 0.5),
        "rpd_gradient_class": 12 * (ubar.mean(1) - 0.5),
        "rpd_gradient_weighted": 12 * ((share * ubar).sum() - 0.5),
        "rpd_gradient_centred": 12 * (centred_ubar.mean() - 0.5),
        "auc_mean": auc.mean(),
        "opt_fraction": opt,
        "npt_fraction": 1 - opt,
        "anti_fraction": anti,
        "neutral_fraction": 1 - opt - anti,
        "opt_excess": opt - anti,
        "opt_fraction_unweighted": (auc > 0.6).mean(),
        "opt_fraction_centred": centred_share[centred_auc > 0.6].sum(),
        "dead_fraction": (y == 0).all(0).mean(),
        "rpd": density / classes,
    }
    slack = {
        "opt_fraction": near_opt,
        "npt_fraction": near_opt,
        "anti_fraction": near_anti,
        "neutral_fraction": near_opt + near_anti,
        "opt_excess": near_opt + near_anti,
        "opt_fraction_unweighted": (np.abs(auc - 0.6) < 1e-5).mean(),
        "opt_fraction_centred": near_centred,
        # A rank on the edge between two bins.
        "rpd": 20 * 2 / (samples / classes * units),
    }
    return values, slack


def pairs(h, y):
    """inversion_rate and tie_rate."""
    inversions, ties = [], []
    for i in range(h.shape[1]):
        dh = np.sign(h[:, i][:, None] - h[:, i][None, :])
        dy = np.sign(y[:, i][:, None] - y[:, i][None, :])
        differ = dh != 0
        if differ.any():
            inversions.append((dh * dy < 0)[differ].mean())
            ties.append((dy == 0)[differ].mean())
    return np.mean(inversions), np.mean(ties)


def accuracy(z, labels):
    return (z.argmax(1) == labels).mean()


def loss(z, labels):
    shifted = z - z.max(1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(1))
    return (log_sum - shifted[np.arange(len(z)), labels]).mean()


def relative_change(now, start):
    return np.linalg.norm(now - start) / np.linalg.norm(start)


class Comparison:
    def __init__(self):
        self.compared, self.differences = {}, []

    def of(self, where, name, stored, computed, tolerance):
        """A value that does not exist (0/0) is null in the tables."""
        is_defined = bool(np.isfinite(np.asarray(computed)).all())
        if stored is None or not is_defined:
            agree = stored is None and not is_defined
        else:
            off = np.abs(np.asarray(stored, float) - np.asarray(computed, float)).max()
            agree = off <= tolerance
        self.compared[name] = self.compared.get(name, 0) + 1
        if not agree:
            self.differences.append(f"{where} {name}: stored {stored}, recomputed {computed}")


def compare_layer(result, where, row, network, start, probe, layer):
    x, labels, (h, y, z) = probe
    m = network.linear_map(layer)
    values, slack = order(h[layer], y[layer], m, labels)
    tail = network.tail(layer, y[layer])
    _, test_y, _ = network.forward(PIXELS[TEST])
    values["lmap_accuracy"] = accuracy(tail, labels)
    values["lmap_test_accuracy"] = accuracy(network.tail(layer, test_y[layer]), DIGITS[TEST])
    values["lmap_agreement"] = (tail.argmax(1) == z.argmax(1)).mean()
    a, b = tail - tail.mean(1, keepdims=True), z - z.mean(1, keepdims=True)
    if (z != z[0]).any():  # the order of constant logits is that of their rounding
        values["lmap_tau"] = np.mean([kendall_tau_b(a[:, k], b[:, k]) for k in range(10)])
        slack["lmap_tau"] = 1e-3  # the trainer's float32 logits tie and swap
    _, y_start, _ = start.forward(x)
    values["feature_change"] = relative_change(y[layer], y_start[layer])
    values["weight_change"] = relative_change(network.weight(layer), start.weight(layer))
    values["weight_norm"] = np.linalg.norm(network.weight(layer))
    covariance = np.atleast_2d(np.cov(y[layer].T, ddof=0))
    values["participation_ratio"] = np.trace(covariance) ** 2 / (covariance**2).sum()
    if (y[layer].std(0) > 0).all():
        r = [np.corrcoef(y[layer][:, i], h[layer][:, i])[0, 1] for i in range(h[layer].shape[1])]
        values["linear_r2"] = np.mean(np.square(r))
    if row["activation"] != "tanh":  # whose float32 values saturate into ties
        values["inversion_rate"], values["tie_rate"] = pairs(h[layer], y[layer])
    for name, value in values.items():
        scale = max(1.0, float(np.abs(np.asarray(value)).max()))
        result.of(where, name, row[name], value, 1e-5 * scale + slack.get(name, 0))


def main():
    layers = parquet.read_table(store / "layers").to_pylist()
    trials = {row["trial_id"]: row for row in parquet.read_table(store / "trials").to_pylist()}
    result = Comparison()
    for trial_id, trial in trials.items():
        load = lambda step: read_safetensors(
            store / f"weights/sweep=check/{trial_id}-{step}.safetensors"
        )
        for step in (0, trial["steps"]):
            tensors = load(step)
            start = Network(load(0), trial["depth"], trial["activation"])
            network = Network(tensors, trial["depth"], trial["activation"])
            index, labels = tensors["probe_index"], tensors["probe_label"]
            assert index.max() < 1500 and len(set(index)) == len(index) == 200
            clean = DIGITS[index]
            noise = (labels != clean).mean()
            expected = trial["label_noise"]
            assert (noise == 0) if expected == 0 else abs(noise - expected) < 0.12, noise
            sizes = np.bincount(clean if expected else labels, minlength=10)
            assert expected or sizes.max() - sizes.min() <= 1, f"the probe is unbalanced: {sizes}"
            x = PIXELS[index]
            forward = network.forward(x)
            where = f"{trial_id[:8]} step {step}"
            own = [r for r in layers if r["trial_id"] == trial_id and r["step"] == step]
            assert sorted(row["layer"] for row in own) == list(range(1, trial["depth"] + 1))
            for row in own:
                layer = row["layer"]
                compare_layer(
                    result, f"{where} layer {layer}", row, network, start, (x, labels, forward), layer
                )
        z, z_test = forward[2], network.forward(PIXELS[TEST])[2]
        values = {
            "train_accuracy": accuracy(z, labels),
            "train_accuracy_clean": accuracy(z, clean),
            "test_accuracy": accuracy(z_test, DIGITS[TEST]),
            "train_loss": loss(z, labels),
            "test_loss": loss(z_test, DIGITS[TEST]),
        }
        for name, value in values.items():
            result.of(trial_id[:8], name, trial[name], value, 1e-5 * max(1.0, abs(value)))
    assert len(trials) == 15 and len(result.compared) >= 24, (len(trials), result.compared)
    accuracies = [trial["test_accuracy"] for trial in trials.values()]
    assert max(accuracies) > 0.85 > 0.5 > min(accuracies), "the networks do not differ enough"
    print(f"{sum(result.compared.values())} values of {len(result.compared)} columns agree")
    if result.differences:
        print(f"but {len(result.differences)} do not:")
        print("\n".join(result.differences[:40]))
        sys.exit(1)


main()
