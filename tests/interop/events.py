"""Phases and the steps at which things happen, from docs/metrics.md, section 5."""

import math

import numpy as np


def guessing(labels, classes):
    """b + 5 se: an accuracy up to it is no better than guessing."""
    b = np.bincount(labels, minlength=classes).max() / len(labels)
    return b + 5 * math.sqrt(b * (1 - b) / len(labels))


def slope(g):
    """Least squares of g_l against (l - 1)/(D - 1), along the last axis."""
    x = np.linspace(0, 1, g.shape[-1]) - 0.5
    return (g * x).sum(-1) / (x * x).sum()


def phase(depth, train_accuracy, train_loss, loss_at_start, dead, limit, s, se, v):
    no_better = train_accuracy <= limit
    if (no_better and train_loss > loss_at_start) or max(dead) > 0.9:
        return "collapsed"
    if no_better:
        return "untrained"
    if depth >= 6 and v is not None and v < 0.1:
        return "III"
    if depth == 1:
        return None
    return "I" if s < -2 * se else "II" if s > 2 * se else "flat"


def onset_mixed_step(first_layer):
    """`first_layer`: (step, g_1, se) by increasing step."""
    step, highest, se = max(first_layer, key=lambda point: (point[1], -point[0]))
    _, last, last_se = first_layer[-1]
    return step if highest - last > 2 * math.hypot(se, last_se) else None


def first_step(history, column, at_least):
    return next((row["step"] for row in history if row[column] >= at_least), None)


def fit_steps(history, test_limit):
    """train_fit_step, test_fit_step and grokking_delay."""
    final = history[-1]["test_accuracy"]
    train = first_step(history, "train_accuracy", 0.99)
    test = first_step(history, "test_accuracy", 0.95 * final) if final >= test_limit else None
    delay = None if train is None or test is None else test - train
    return {"train_fit_step": train, "test_fit_step": test, "grokking_delay": delay}
