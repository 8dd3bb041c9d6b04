"""Sharpness, noise scale and tangent kernel, from docs/metrics.md, section 6."""

import numpy as np

from networks import SLOPES

ORDER = ("weight", "bias", "gamma", "beta")


def parameters(network):
    parts = [layer[name].ravel() for layer in network.layers for name in ORDER if name in layer]
    return np.concatenate(parts)


def with_parameters(network, flat):
    layers, start = [], 0
    for layer in network.layers:
        moved = dict(layer)
        for name in ORDER:
            if name in layer:
                end = start + layer[name].size
                moved[name] = flat[start:end].reshape(layer[name].shape)
                start = end
        layers.append(moved)
    return network.with_layers(layers)


def gradient(network, x, of_logits):
    """The derivative by all parameters of a function with the derivative `of_logits(z)` by z."""
    h, y, z = network.forward(x)
    delta, parts = of_logits(z), []
    for number in range(network.depth + 1, 0, -1):
        part, own = network.layers[number - 1], {}
        if "gamma" in part:
            before = y[number - 1] @ part["weight"].T + part["bias"]
            normal, deviation = network.normal(number, before)
            own["gamma"], own["beta"] = (delta * normal).sum(0), delta.sum(0)
            delta = delta * part["gamma"]
            if network.of_rows:
                delta = delta - delta.mean(0) - normal * (delta * normal).mean(0)
            delta = delta / deviation
        own["weight"], own["bias"] = delta.T @ y[number - 1], delta.sum(0)
        parts.append(np.concatenate([own[name].ravel() for name in ORDER if name in own]))
        if number > 1:
            delta = delta @ part["weight"] * SLOPES[network.activation](h[number - 1])
    return np.concatenate(parts[::-1])


def loss_derivative(labels, kind):
    target = lambda z: np.eye(z.shape[1])[labels]
    if kind == "mse":
        return lambda z: 2 * (z - target(z)) / z.size

    def cross_entropy(z):
        share = np.exp(z - z.max(1, keepdims=True))
        return (share / share.sum(1, keepdims=True) - target(z)) / len(z)

    return cross_entropy


def sharpness(network, x, labels, kind, generator, steps=40):
    """The largest eigenvalue of the Hessian, by more Lanczos steps than the trainer's 15."""
    network = network.with_statistics_of_rows()
    derivative = loss_derivative(labels, kind)
    at = parameters(network)
    step = 1e-8 * (1 + np.linalg.norm(at))  # no row may cross the kink of a ReLU

    def product(vector):
        ahead, behind = (with_parameters(network, at + s * step * vector) for s in (1, -1))
        return (gradient(ahead, x, derivative) - gradient(behind, x, derivative)) / (2 * step)

    vector = generator.standard_normal(len(at))
    basis, columns = [vector / np.linalg.norm(vector)], []
    for _ in range(min(steps, len(at))):
        columns.append(product(basis[-1]))
        rest = columns[-1].copy()
        for _ in range(2):
            for known in basis:
                rest -= (rest @ known) * known
        if np.linalg.norm(rest) < 1e-9 * np.linalg.norm(columns[0]):
            break
        basis.append(rest / np.linalg.norm(rest))
    q = np.array(basis[: len(columns)])
    reduced = q @ np.array(columns).T
    return np.linalg.eigvalsh((reduced + reduced.T) / 2)[-1]


def noise_scale(network, x, labels, kind):
    """Null with batch norm, and where the gradient is lost in its noise."""
    if network.has_batch_norm():
        return np.nan
    rows = [
        gradient(network, x[i : i + 1], loss_derivative(labels[i : i + 1], kind))
        for i in range(len(x))
    ]
    mean = np.mean(rows, 0)
    trace = ((rows - mean) ** 2).sum() / len(x)
    signal = mean @ mean - trace / len(x)
    return trace / signal if signal > 0 else np.nan


def tangent_kernel(network, x):
    kernel = 0
    for k in range(network.layers[-1]["bias"].size):
        unit = lambda z: np.eye(z.shape[1])[[k]]
        jacobian = np.array([gradient(network, x[i : i + 1], unit) for i in range(len(x))])
        kernel = kernel + jacobian @ jacobian.T
    return kernel


def ntk_change(network, start, x):
    now, then = tangent_kernel(network, x), tangent_kernel(start, x)
    return 1 - (now * then).sum() / np.sqrt((now**2).sum() * (then**2).sum())
