"""Plain PyTorch: one trial after another, as one would write it by hand, a single-threaded process per core."""

import torch
from torch import nn
from torch.nn import functional

import data
import peer
from workload import PROBE_ROWS

OPTIONS = peer.arguments(__doc__) if __name__ == "__main__" else None


class Trainer:
    """Trains trials on one device."""

    def __init__(self, loaded, device):
        torch.set_num_threads(1)
        probe = data.probe_rows(loaded.train_labels, PROBE_ROWS)
        self.rows, self.inputs, self.device = loaded.rows, loaded.inputs, device
        self.train_rows = self.tensors(loaded.train_inputs, loaded.train_labels)
        self.probe = self.tensors(loaded.train_inputs[probe], loaded.train_labels[probe])
        self.test = self.tensors(loaded.test_inputs, loaded.test_labels)

    def tensors(self, inputs, labels):
        """Rows and labels on the device."""
        return torch.from_numpy(inputs).to(self.device), torch.from_numpy(labels).to(self.device)

    def train(self, point):
        """One trial, from its initialisation to its final losses and accuracies."""
        layers = []
        for weight, bias in data.initial_parameters(point.layer_sizes(self.inputs, data.CLASSES), point.seed):
            layers += [linear(weight, bias), nn.ReLU()]
        network = nn.Sequential(*layers[:-1]).to(self.device)
        optimizer = torch.optim.SGD(network.parameters(), lr=point.learning_rate, fused=True)
        inputs, labels = self.train_rows
        order = torch.from_numpy(data.batches(self.rows, point.batch_size, point.steps, point.seed))
        for batch in order.to(self.device):
            loss = functional.cross_entropy(network(inputs[batch]), labels[batch])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        return peer.Result(point, *evaluate(network, *self.probe), *evaluate(network, *self.test))


@torch.no_grad()
def linear(weight, bias):
    """A layer with these initial values; PyTorch's own are of the same distribution."""
    layer = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0])
    layer.weight.copy_(torch.from_numpy(weight))
    layer.bias.copy_(torch.from_numpy(bias))
    return layer


@torch.inference_mode()
def evaluate(network, inputs, labels):
    """Mean loss and accuracy."""
    logits = network(inputs)
    accuracy = (logits.argmax(1) == labels).float().mean()
    return functional.cross_entropy(logits, labels).item(), accuracy.item()


TRAINER = None


def start():
    """Prepares a process of the pool."""
    global TRAINER
    TRAINER = Trainer(LOADED, OPTIONS.device)


def train(point):
    """One item of the pool."""
    return [TRAINER.train(point)]


if __name__ == "__main__":
    WORKLOAD, LOADED = peer.load(OPTIONS)

    def cost(point):
        """Relative, for the order of the items."""
        return point.training_flops(LOADED.inputs, data.CLASSES)

    peer.write(OPTIONS.results, peer.run_pool(WORKLOAD.points, cost, train, start, OPTIONS.processes))
