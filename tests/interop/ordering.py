"""The columns of `layers`, from docs/metrics.md, sections 1 and 2."""

import math

import numpy as np

from networks import accuracy


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
    swaps = near_ties(h) * 12 / (samples * np.bincount(labels).min() * units)
    near_edge = (np.abs(auc * 20 - np.round(auc * 20)) < 1e-4).mean()
    values = {
        "rpd_gradient": 12 * (ubar.mean() - 0.5),
        "rpd_gradient_class": 12 * (ubar.mean(1) - 0.5),
        "rpd_gradient_weighted": 12 * ((share * ubar).sum() - 0.5),
        "rpd_gradient_centred": 12 * (centred_ubar.mean() - 0.5),
        "auc_mean": auc.mean(),
        "auc": np.histogram(auc, 20, (0, 1))[0] / auc.size * 20,
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
        "rpd_gradient": swaps,
        "rpd_gradient_class": swaps,
        "rpd_gradient_centred": swaps,
        "rpd_gradient_weighted": swaps * units * share.max(initial=0),
        "auc_mean": swaps,
        "opt_fraction": near_opt,
        "npt_fraction": near_opt,
        "anti_fraction": near_anti,
        "neutral_fraction": near_opt + near_anti,
        "opt_excess": near_opt + near_anti,
        "opt_fraction_unweighted": (np.abs(auc - 0.6) < 1e-5).mean(),
        "opt_fraction_centred": near_centred,
        # A rank on the edge between two bins.
        "rpd": 20 * 2 / (samples / classes * units),
        "auc": 20 * (near_edge + 2 / auc.size),
    }
    return values, slack


def near_ties(h):
    """Neighbours in the order of a unit that the trainer's float32 may tie or swap."""
    gaps = np.diff(np.sort(h, 0), axis=0)
    return ((gaps > 0) & (gaps < 2e-6 * np.abs(h).max())).sum()


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


def relative_change(now, start):
    return np.linalg.norm(now - start) / np.linalg.norm(start)


def layer_values(row, network, start, probe, test, layer):
    """Every column of one row of `layers` but the resampled one, and the slack of some."""
    x, labels, (h, y, z) = probe
    m = network.linear_map(layer)
    values, slack = order(h[layer], y[layer], m, labels)
    tail = network.tail(layer, y[layer])
    test_x, test_labels = test
    values["lmap_accuracy"] = accuracy(tail, labels)
    test_tail = network.tail(layer, network.forward(test_x)[1][layer])
    values["lmap_test_accuracy"] = accuracy(test_tail, test_labels)
    values["lmap_agreement"] = (tail.argmax(1) == z.argmax(1)).mean()
    a, b = tail - tail.mean(1, keepdims=True), z - z.mean(1, keepdims=True)
    if (z != z[0]).any():  # the order of constant logits is that of their rounding
        classes = range(z.shape[1])
        values["lmap_tau"] = np.mean([kendall_tau_b(a[:, k], b[:, k]) for k in classes])
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
    return values, slack


def resampled_gradients(h, signs, labels, resamples):
    """g of one layer under each resample, a row of counts [R, P]: mid-ranks of the repeated data."""
    classes, units = signs.shape
    rows = resamples.shape[1]
    excess = np.zeros(len(resamples))
    for i in range(units):
        _, place = np.unique(h[:, i], return_inverse=True)
        member = np.eye(place.max() + 1)[place]
        counts = resamples @ member
        middle = np.cumsum(counts, 1) - counts / 2  # mid-rank less 1/2
        u = middle[:, place] / rows
        for k in range(classes):
            own = resamples[:, labels == k]
            mean = (own * u[:, labels == k]).sum(1) / own.sum(1)
            excess += signs[k, i] * (mean - 0.5)
    return 12 * excess / (classes * units)


def within_class_resamples(labels, count, generator):
    """Each row: how often every sample occurs, class sizes kept."""
    resamples = np.zeros((count, len(labels)))
    for k in np.unique(labels):
        own = np.flatnonzero(labels == k)
        resamples[:, own] = generator.multinomial(len(own), np.ones(len(own)) / len(own), count)
    return resamples
