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
        torch.manual_seed(point.seed)
        layers = []
        for fan_in, units in point.layer_sizes(self.inputs, data.CLASSES):
            layers += [nn.Linear(fan_in, units), nn.ReLU()]  # Linear's own initialisation is the workload's
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
