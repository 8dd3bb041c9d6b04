"""Attraction basins from docs/metrics.md, sections 3 and 4, with NumPy's own draws.

The probe has at most 50 rows, so that every subset of it that the definitions draw is all of it.
What the trainer stores is one draw of the noise; here are REPLICATES more, and it must lie among
them.
"""

import numpy as np

from networks import Network

REPLICATES = 12
GRID = np.exp(np.linspace(np.log(1e-3), np.log(10.0), 17))


def first_crossing(share, threshold):
    """The radius; 0 below the grid, infinite above it. `share` maps an amplitude to a share."""
    inner = 1.0
    for point, amplitude in enumerate(GRID):
        outer = share(amplitude)
        if outer <= threshold:
            break
        inner = outer
    else:
        return np.inf
    if point == 0:
        return 0.0
    low, high = np.log(GRID[point - 1]), np.log(amplitude)
    for _ in range(6):
        middle = (low + high) / 2
        value = share(np.exp(middle))
        if value <= threshold:
            high, outer = middle, value
        else:
            low, inner = middle, value
    return np.exp(low + (high - low) * (inner - threshold) / (inner - outer))


def with_error(share_by_block, threshold):
    """Radius and its standard error over blocks (rows or draws), their shares given."""
    known = {}

    def shares(amplitude):
        if amplitude not in known:
            known[amplitude] = share_by_block(amplitude)
        return known[amplitude]

    radius = first_crossing(lambda amplitude: shares(amplitude).mean(), threshold)
    if not 0 < radius < np.inf:
        return radius, np.nan
    slope = (shares(1.1 * radius).mean() - shares(0.9 * radius).mean()) / (0.2 * radius)
    blocks = shares(radius)
    error = blocks.std(ddof=1) / np.sqrt(len(blocks)) if len(blocks) > 1 else np.nan
    return radius, error / abs(slope) if slope else np.nan


def sample_rows(network, x, labels, generator):
    """(scope, threshold) -> (radius, error, lo, hi) of one replicate."""
    correct = network.logits(x).argmax(1) == labels
    noise = generator.standard_normal((len(x), 8, x.shape[1]))
    known = {}

    def kept(amplitude):
        """The share of each row's 8 noisy copies that keep their label."""
        if amplitude not in known:
            noisy = (x[:, None] + amplitude * noise).reshape(-1, x.shape[1])
            predicted = network.logits(noisy).argmax(1).reshape(len(x), 8)
            known[amplitude] = (predicted == labels[:, None]).mean(1)
        return known[amplitude]

    def found(rows, threshold):
        return (*with_error(lambda amplitude: kept(amplitude)[rows], threshold), None, None)

    result = {("all", theta): found(correct, theta) for theta in (0.5, 0.7, 0.9)}
    if correct.mean() > 0.5:
        result["all_abs", 0.5] = found(np.ones(len(x), bool), 0.5)
    for k in np.unique(labels[correct]):
        result[f"class:{k}", 0.5] = found(correct & (labels == k), 0.5)
    result["sample", 0.5] = own_radii(network, x[correct], labels[correct], generator)
    return result


def own_radii(network, x, labels, generator):
    """Median and quartiles over rows of the median over 32 rays of the first exit."""
    rays = generator.standard_normal((32, x.shape[1]))
    rays /= np.sqrt((rays**2).mean(1, keepdims=True))

    def inside(amplitudes):
        """Whether each row [n, 32] keeps its label that far along each ray."""
        moved = x[:, None] + amplitudes[..., None] * rays
        predicted = network.logits(moved.reshape(-1, x.shape[1])).argmax(1)
        return predicted.reshape(len(x), 32) == labels[:, None]

    low = np.full((len(x), 32), -np.inf)
    high = np.full((len(x), 32), np.inf)
    is_open = np.ones((len(x), 32), bool)
    for amplitude in GRID:
        within = inside(np.full((len(x), 32), amplitude))
        exits = is_open & ~within
        high[exits] = np.log(amplitude)
        is_open &= within
        low[is_open] = np.log(amplitude)
    bracketed = np.isfinite(low) & np.isfinite(high)
    for _ in range(6):
        middle = np.where(bracketed, (low + high) / 2, 0.0)
        within = inside(np.exp(middle))
        low = np.where(bracketed & within, middle, low)
        high = np.where(bracketed & ~within, middle, high)
    # A single row's share falls from 1 to 0, so that 1/2 is half-way in the bracket.
    between = np.exp((low + high) / 2, where=bracketed, out=np.zeros_like(low))
    radius = np.where(np.isinf(high), np.inf, np.where(bracketed, between, 0.0))
    rows = np.sort(np.median(radius, 1))
    lo, median, hi = (quantile(rows, share) for share in (0.25, 0.5, 0.75))
    return median, np.nan, lo, hi


def quantile(ordered, share):
    """Linear between neighbours; infinite where one of them is."""
    position = share * (len(ordered) - 1)
    below, above = ordered[int(np.floor(position))], ordered[int(np.ceil(position))]
    return above if np.isinf(above) else below + (above - below) * (position % 1)


def weight_rows(network, x, labels, generator):
    correct = network.logits(x).argmax(1) == labels
    x, labels = x[correct], labels[correct]
    noise = [
        [generator.standard_normal(layer["weight"].shape) for layer in network.layers]
        for _ in range(16)
    ]

    def step(scope, number, xi):
        weight = network.layers[number]["weight"]
        if scope == "filter":
            length = lambda rows: np.linalg.norm(rows, axis=1, keepdims=True)
            return xi * length(weight) / length(xi)
        moves = scope == "all" or scope == f"layer:{number + 1}"
        return xi * weight.std() * moves

    def radii(scope, threshold, draws):
        known = {}
        steps = [[step(scope, n, xi) for n, xi in enumerate(noise[d])] for d in range(draws)]

        def kept(draw, amplitude):
            if (draw, amplitude) not in known:
                layers = [
                    {**layer, "weight": layer["weight"] + amplitude * own}
                    for layer, own in zip(network.layers, steps[draw])
                ]
                moved = Network(layers, network.activation)
                known[draw, amplitude] = (moved.logits(x).argmax(1) == labels).mean()
            return known[draw, amplitude]

        by_draw = lambda amplitude: np.array([kept(d, amplitude) for d in range(draws)])
        radius, error = with_error(by_draw, threshold)
        single = [first_crossing(lambda r, d=d: kept(d, r), threshold) for d in range(draws)]
        lo, hi = (quantile(np.sort(single), share) for share in (0.16, 0.84))
        return radius, error, lo, hi

    result = {("all", theta): radii("all", theta, 16) for theta in (0.5, 0.7, 0.9)}
    for scope in [f"layer:{l}" for l in range(1, network.depth + 2)] + ["filter"]:
        result[scope, 0.5] = radii(scope, 0.5, 8)
    return result


def compare(result, where, stored, network, x, labels, space, generator):
    """`stored`: the rows of `basins` of one trial and step in one space."""
    rows = {(row["scope"], row["threshold"]): row for row in stored}
    assert len(rows) == len(stored), f"{where}: a row stands twice"
    if not (network.logits(x).argmax(1) == labels).any():
        assert all(row["radius"] is None for row in stored), where
        return
    measure = sample_rows if space == "sample" else weight_rows
    replicates = [measure(network, x, labels, generator) for _ in range(REPLICATES)]
    if space == "sample":
        scopes = {"all_abs"} | {f"class:{k}" for k in range(network.logits(x[:1]).shape[1])}
        assert scopes < {scope for scope, _ in rows}, f"{where}: {sorted(rows)}"
    # A row without a radius where nothing is to be lost: a class without a correct row, say.
    rows = {key: row for key, row in rows.items() if row["radius"] is not None or row["censored"]}
    assert set(rows) == set(replicates[0]), f"{where}: {sorted(set(rows) ^ set(replicates[0]))}"
    for key, row in rows.items():
        place = f"{where} {space} {key[0]} at {key[1]}"
        radius, error, lo, hi = (
            np.array([replicate[key][part] for replicate in replicates], float) for part in range(4)
        )
        result.note("threshold")
        extended = {"left": 0.0, "right": np.inf, None: row["radius"]}[row["censored"]]
        result.among(place, "radius", extended, radius, floor=0.02)
        result.among(place, "censored", extended, radius, floor=0.02)
        if row["censored"]:
            expected = (0.0, 1e-3) if row["censored"] == "left" else (10.0, None)
            if key[0] != "sample":
                result.exactly(place, "lo and hi", (row["lo"], row["hi"]), expected)
            continue
        for name, values in (("radius_se", error), ("lo", lo), ("hi", hi)):
            if np.isnan(values).all():
                result.exactly(place, name, row[name], None)
                continue
            value = row[name]
            if name == "radius_se" and value is None:
                continue  # the share does not change around this draw's radius
            result.among(place, name, np.inf if value is None else value, values, floor=0.05)
