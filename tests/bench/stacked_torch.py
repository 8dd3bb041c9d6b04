"""Stacked PyTorch: the trials of one shape as one batched network, a single-threaded process per core.

Samples stand last, so that every product is one `bmm` on contiguous memory and the trials of a seed, which see the same
minibatch, have their first layers in one product. The backward pass is written by hand and updates in place; with
--autograd it is PyTorch's.
"""

import torch
from torch.nn import functional

import data
import peer
from workload import PROBE_ROWS

OPTIONS = peer.arguments(__doc__, autograd="let PyTorch differentiate") if __name__ == "__main__" else None


class Stack:
    """E networks of S seeds, E/S of each: `weights` [E, units, fan in], `biases` [E, units, 1], f32."""

    def __init__(self, points, inputs, device):
        self.points, self.device = points, device
        self.seeds = sorted({point.seed for point in points})
        each = len(points) // len(self.seeds)
        assert [point.seed for point in points] == [seed for seed in self.seeds for _ in range(each)]
        sizes = points[0].layer_sizes(inputs, data.CLASSES)
        drawn = [data.initial_parameters(sizes, seed) for seed in self.seeds]

        def stacked(layer, which):
            per_seed = torch.stack([torch.from_numpy(network[layer][which]) for network in drawn])
            return per_seed.repeat_interleave(each, 0).to(device)

        self.weights = [stacked(layer, 0) for layer in range(len(sizes))]
        self.biases = [stacked(layer, 1).unsqueeze(2) for layer in range(len(sizes))]
        self.rates = torch.tensor([point.learning_rate for point in points], device=device).view(-1, 1, 1)

    def forward(self, inputs):
        """Values of every layer [E, units, rows], logits last, of `inputs` [S, rows, n_0] or [1, rows, n_0]."""
        groups = len(inputs)
        first = self.weights[0].view(groups, -1, self.weights[0].shape[2])
        bias = self.biases[0].view(groups, -1, 1)
        values = [torch.baddbmm(bias, first, inputs.mT).view(len(self.points), -1, inputs.shape[1])]
        for weight, bias in zip(self.weights[1:], self.biases[1:]):
            values[-1] = values[-1].relu() if weight.requires_grad else values[-1].relu_()
            values.append(torch.baddbmm(bias, weight, values[-1]))
        return values

    @torch.inference_mode()
    def evaluate(self, inputs, labels):
        """Mean loss and accuracy of each network, on `inputs` [rows, n_0]."""
        logits = self.forward(inputs.unsqueeze(0))[-1]
        labels = labels.expand(len(self.points), -1)
        loss = functional.cross_entropy(logits, labels, reduction="none").mean(1)
        return loss.tolist(), (logits.argmax(1) == labels).float().mean(1).tolist()


@torch.inference_mode()
def step_by_hand(stack, inputs, labels):
    """One SGD update; `inputs` [S, B, n_0], `labels` [S, B]. The factor -lr/B is folded into the derivative of the
    logits, so that the products accumulate straight into the weights."""
    groups, batch = labels.shape
    *values, logits = stack.forward(inputs)
    delta = logits.softmax(1)
    targets = functional.one_hot(labels, data.CLASSES).mT.to(delta.dtype).unsqueeze(1)
    delta.view(groups, -1, data.CLASSES, batch).sub_(targets)
    delta.mul_(stack.rates / -batch)
    for layer in range(len(values), 0, -1):
        weight, below = stack.weights[layer], values[layer - 1]
        above, delta = delta, torch.ops.aten.threshold_backward(torch.bmm(weight.mT, delta), below, 0)
        weight.baddbmm_(above, below.mT)
        stack.biases[layer].add_(above.sum(2, keepdim=True))
    first = stack.weights[0]
    first.view(groups, -1, first.shape[2]).baddbmm_(delta.view(groups, -1, batch), inputs)
    stack.biases[0].add_(delta.sum(2, keepdim=True))


def step_by_autograd(stack, inputs, labels):
    """The same with autograd: the sum over networks of their mean losses has each network's own gradient."""
    groups, batch = labels.shape
    logits = stack.forward(inputs)[-1]
    targets = labels.repeat_interleave(len(logits) // groups, 0)
    (functional.cross_entropy(logits, targets, reduction="sum") / batch).backward()
    with torch.no_grad():
        for parameter in stack.weights + stack.biases:
            parameter.addcmul_(parameter.grad, stack.rates, value=-1)
            parameter.grad = None


class Trainer:
    """Trains stacks on one device."""

    def __init__(self, loaded, device, autograd):
        torch.set_num_threads(1)
        self.loaded, self.device, self.autograd = loaded, device, autograd
        self.step = step_by_autograd if autograd else step_by_hand
        probe = data.probe_rows(loaded.train_labels, PROBE_ROWS)
        self.train_rows = self.tensors(loaded.train_inputs, loaded.train_labels)
        self.probe = self.tensors(loaded.train_inputs[probe], loaded.train_labels[probe])
        self.test = self.tensors(loaded.test_inputs, loaded.test_labels)

    def tensors(self, inputs, labels):
        """Rows and labels on the device."""
        return torch.from_numpy(inputs).to(self.device), torch.from_numpy(labels).to(self.device)

    def train(self, points):
        """Results of trials of one shape, those of one seed together."""
        shape = points[0]
        stack = Stack(points, self.loaded.inputs, self.device)
        for parameter in stack.weights + stack.biases if self.autograd else ():
            parameter.requires_grad_()
        orders = [data.batches(self.loaded.rows, shape.batch_size, shape.steps, seed) for seed in stack.seeds]
        order = torch.stack([torch.from_numpy(order) for order in orders], 1).to(self.device)
        inputs, labels = self.train_rows
        for batch in order:
            rows = inputs.index_select(0, batch.view(-1)).view(*batch.shape, -1)
            self.step(stack, rows, labels[batch])
        for parameter in stack.weights + stack.biases:
            parameter.requires_grad_(False)
        columns = [*stack.evaluate(*self.probe), *stack.evaluate(*self.test)]
        return [peer.Result(point, *values) for point, *values in zip(points, *columns)]


def stacks(points, largest):
    """The trials of a shape in stacks of whole seeds, at most `largest` trials each if that is possible."""
    seeds = sorted({point.seed for point in points})
    per_stack = max(1, largest // (len(points) // len(seeds)))
    groups = [seeds[start : start + per_stack] for start in range(0, len(seeds), per_stack)]
    return [[point for point in points if point.seed in group] for group in groups]


TRAINER = None


def start():
    """Prepares a process of the pool."""
    global TRAINER
    TRAINER = Trainer(LOADED, OPTIONS.device, OPTIONS.autograd)


def train(points):
    """One item of the pool."""
    return TRAINER.train(points)


if __name__ == "__main__":
    WORKLOAD, LOADED = peer.load(OPTIONS)
    # On a processor a stack should stay in its cache, on a GPU it should fill the device.
    LARGEST = 64 if OPTIONS.device == "cpu" else 1 << 20
    ITEMS = [stack for points in WORKLOAD.shapes().values() for stack in stacks(points, LARGEST)]

    def cost(points):
        """Relative, for the order of the items."""
        return len(points) * points[0].training_flops(LOADED.inputs, data.CLASSES)

    peer.write(OPTIONS.results, peer.run_pool(ITEMS, cost, train, start, OPTIONS.processes))
