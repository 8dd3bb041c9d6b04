"""Data, saved weights and networks in NumPy, from docs/metrics.md, sections 0 and 1."""

import gzip
import json
from pathlib import Path

import numpy as np

EPS = 1e-5  # of batch norm
ACTIVATIONS = {"relu": lambda h: np.maximum(h, 0), "tanh": np.tanh, "identity": lambda h: h}
SLOPES = {
    "relu": lambda h: (h > 0).astype(float),
    "tanh": lambda h: 1 - np.tanh(h) ** 2,
    "identity": np.ones_like,
}


class Data:
    """Training and test rows of a task, in file order."""

    def __init__(self, pixels, classes, train_rows):
        self.pixels, self.classes = pixels, classes
        self.train, self.test = slice(0, train_rows), slice(train_rows, len(pixels))

    @staticmethod
    def digits(path):
        rows = np.frombuffer(gzip.decompress(Path(path).read_bytes()), dtype=np.uint8)
        rows = rows.reshape(1797, 65)
        return Data(rows[:, :64] / 16.0, rows[:, 64].astype(int), 1500)

    @staticmethod
    def mnist(folder):
        """The 10,000-image test file: its first 8,000 rows train."""
        folder = Path(folder)
        images = gzip.decompress((folder / "t10k-images-idx3-ubyte.gz").read_bytes())
        labels = gzip.decompress((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())
        pixels = np.frombuffer(images, dtype=np.uint8, offset=16).reshape(10_000, 784) / 255.0
        return Data(pixels, np.frombuffer(labels, dtype=np.uint8, offset=8).astype(int), 8_000)


def read_safetensors(path):
    """The tensors, and the metadata of the file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    kinds = {"F32": np.float32, "I64": np.int64}
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[start:end], dtype=kinds[entry["dtype"]])
        kind = float if entry["dtype"] == "F32" else int
        tensors[name] = values.reshape(entry["shape"]).astype(kind)
    return tensors, metadata


class Network:
    """`layers`: one dictionary a layer with weight, bias and, with batch norm, gamma, beta, mean,
    var. `of_rows`: batch norm takes the statistics (ddof 0) of the rows it is given."""

    def __init__(self, layers, activation, of_rows=False):
        self.layers, self.activation, self.of_rows = layers, activation, of_rows
        self.depth = len(layers) - 1

    @staticmethod
    def of_tensors(tensors, depth, activation):
        layers = []
        for number in range(1, depth + 2):
            prefix = f"layers.{number}."
            part = {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
            layers.append({name.removeprefix("bn_"): value for name, value in part.items()})
        return Network(layers, activation)

    def with_layers(self, layers):
        return Network(layers, self.activation, self.of_rows)

    def with_statistics_of_rows(self):
        return Network(self.layers, self.activation, True)

    def has_batch_norm(self):
        return any("gamma" in layer for layer in self.layers)

    def weight(self, layer):
        return self.layers[layer - 1]["weight"]

    def normal(self, layer, values):
        """Values less batch norm's mean over its deviation, and that deviation."""
        part = self.layers[layer - 1]
        mean, var = (values.mean(0), values.var(0)) if self.of_rows else (part["mean"], part["var"])
        deviation = np.sqrt(var + EPS)
        return (values - mean) / deviation, deviation

    def affine(self, layer, x):
        part = self.layers[layer - 1]
        values = x @ part["weight"].T + part["bias"]
        if "gamma" in part:
            values = self.normal(layer, values)[0] * part["gamma"] + part["beta"]
        return values

    def forward(self, x):
        """h^(l), y^(l) for l = 1..D, and the logits."""
        h, y = {}, {0: x}
        for layer in range(1, self.depth + 1):
            h[layer] = self.affine(layer, y[layer - 1])
            y[layer] = ACTIVATIONS[self.activation](h[layer])
        return h, y, self.affine(self.depth + 1, y[self.depth])

    def logits(self, x):
        return self.forward(x)[2]

    def tail(self, layer, y):
        """Logits with every activation above the layer the identity."""
        for above in range(layer + 1, self.depth + 2):
            y = self.affine(above, y)
        return y

    def linear_map(self, layer):
        """M^(l), [K, n_l]."""
        product = self.weight(self.depth + 1)
        for below in range(self.depth, layer, -1):
            part = self.layers[below - 1]
            scale = part["gamma"] / np.sqrt(part["var"] + EPS) if "gamma" in part else 1.0
            product = product @ (np.reshape(scale, (-1, 1)) * part["weight"])
        return product


def accuracy(z, labels):
    return (z.argmax(1) == labels).mean()


def batch_accuracy(network, x, labels):
    """With the statistics of the evaluated rows, 1,000 at a time."""
    network = network.with_statistics_of_rows()
    parts = [slice(start, start + 1_000) for start in range(0, len(x), 1_000)]
    return sum((network.logits(x[part]).argmax(1) == labels[part]).sum() for part in parts) / len(x)


def loss(z, labels, kind):
    if kind == "mse":
        return ((z - np.eye(z.shape[1])[labels]) ** 2).mean()
    shifted = z - z.max(1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(1))
    return (log_sum - shifted[np.arange(len(z)), labels]).mean()
