"""The data of the workloads, as phasegrid's tasks `digits` and `mnist` have it, and what the peers draw from it: NumPy
arrays, the same for every peer."""

import functools
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import stream

DIGITS = Path(__file__).resolve().parents[2] / "crates/tasks/data/digits.bin.gz"
MNIST_FILES = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
CLASSES = 10
INPUTS = {"digits": 64, "mnist": 784}


@dataclass(frozen=True)
class Data:
    """Rows in file order: inputs [rows, inputs] f32 in 0..1, labels [rows] int64."""

    train_inputs: np.ndarray
    train_labels: np.ndarray
    test_inputs: np.ndarray
    test_labels: np.ndarray

    @property
    def inputs(self):
        """n_0, as INPUTS has it."""
        return self.train_inputs.shape[1]

    @property
    def rows(self):
        """Training rows."""
        return len(self.train_labels)


def load(task, folder=None):
    """`digits`: 1,500 rows train, 297 test. `mnist`, from the 10,000 test images below `folder`: 8,000 and 2,000."""
    if task == "digits":
        rows = np.frombuffer(gzip.decompress(DIGITS.read_bytes()), np.uint8).reshape(-1, 65)
        return _split(rows[:, :64], rows[:, 64], 16, 1500)
    if task == "mnist":
        images, labels = (_idx(mnist_file(folder, name)) for name in MNIST_FILES)
        return _split(images.reshape(len(images), -1), labels, 255, 8000)
    raise SystemExit(f"task {task} is not known to the peers")


def mnist_file(folder, name):
    """The IDX file of that name in `folder`/mnist, plain or gzipped; None if there is none."""
    candidates = (Path(folder) / "mnist" / (name + end) for end in ("", ".gz")) if folder else ()
    return next((path for path in candidates if path.is_file()), None)


def _idx(path):
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    dimensions = np.frombuffer(content, ">u4", content[3], 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(dimensions)


def _split(pixels, labels, white, training_rows):
    inputs = pixels.astype(np.float32) / np.float32(white)
    labels = labels.astype(np.int64)
    train, test = slice(None, training_rows), slice(training_rows, None)
    return Data(inputs[train], labels[train], inputs[test], labels[test])


def probe_rows(labels, count, seed=0):
    """At most `count` training rows, as many of each class as the classes allow: those behind the training results."""
    order = np.random.default_rng(seed).permutation(len(labels))
    rank_in_class = np.empty(len(labels), int)
    for label in range(CLASSES):
        members = order[labels[order] == label]
        rank_in_class[members] = np.arange(len(members))
    return np.sort(order[np.argsort(rank_in_class[order], kind="stable")][:count])


@functools.cache
def batches(rows, batch_size, steps, seed):
    """Row numbers of each minibatch, [steps, batch_size]: fresh permutations one after another, cut evenly."""
    epochs = -(-steps * batch_size // rows)
    order = np.concatenate([stream.permutation(seed, "data_order", [epoch], rows) for epoch in range(epochs)])
    return order[: steps * batch_size].reshape(steps, batch_size)


@functools.cache
def initial_parameters(layer_sizes, seed):
    """[(weights [units, fan in], biases [units])] of a network: U(+-1/sqrt(fan in)), f32."""
    parameters = []
    for layer, (fan_in, units) in enumerate(layer_sizes, 1):
        drawn = stream.uniforms(seed, "init", [layer], units * fan_in + units)
        values = ((2 * drawn - 1) * fan_in**-0.5).astype(np.float32)
        parameters.append((values[: units * fan_in].reshape(units, fan_in), values[units * fan_in :]))
    return parameters
