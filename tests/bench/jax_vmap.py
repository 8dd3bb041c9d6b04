"""JAX: the trials of one shape as one jitted function, vmap over seeds and learning rates, scan over the steps.

Two passes over the workload. The first, cold, compiles a function for each shape; the second, warm, finds them compiled,
and its time counts neither start nor compilation.
"""

import functools
import multiprocessing
import os
import time

import data
import peer
from workload import PROBE_ROWS

OPTIONS = peer.arguments(__doc__) if __name__ == "__main__" else None


def build():
    """The jitted training, after JAX has been imported in this process."""
    import jax
    from jax import numpy as jnp

    jax.config.update("jax_default_matmul_precision", "highest")

    def forward(parameters, inputs):
        for weight, bias in parameters[:-1]:
            inputs = jax.nn.relu(inputs @ weight + bias)
        weight, bias = parameters[-1]
        return inputs @ weight + bias

    def losses(parameters, inputs, labels):
        scores = jax.nn.log_softmax(forward(parameters, inputs))
        return -jnp.take_along_axis(scores, labels[:, None], 1)[:, 0]

    def loss(parameters, inputs, labels):
        return losses(parameters, inputs, labels).mean()

    def step(parameters, rate, inputs, labels):
        gradients = jax.grad(loss)(parameters, inputs, labels)
        return jax.tree.map(lambda value, gradient: value - rate * gradient, parameters, gradients)

    def evaluate(parameters, inputs, labels):
        scores = forward(parameters, inputs)
        chosen = jnp.argmax(scores, 1) == labels
        return losses(parameters, inputs, labels).mean(), chosen.mean()

    # Trials of one seed share the minibatch: the inner vmap is over learning rates, the outer over seeds.
    over_rates = functools.partial(jax.vmap, in_axes=(0, 0, None, None))
    step_all = jax.vmap(over_rates(step), in_axes=(0, None, 0, 0))
    evaluate_all = jax.vmap(jax.vmap(evaluate, in_axes=(0, None, None)), in_axes=(0, None, None))

    @jax.jit
    def train(initial, rates, order, rows, probe, test):
        def body(parameters, batch):
            return step_all(parameters, rates, rows[0][batch], rows[1][batch]), None

        def spread(value):
            return jnp.broadcast_to(value[:, None], (len(value), len(rates), *value.shape[1:]))

        parameters, _ = jax.lax.scan(body, jax.tree.map(spread, initial), order)
        return (*evaluate_all(parameters, *probe), *evaluate_all(parameters, *test))

    return train


class Trainer:
    """Trains all trials of a shape at once."""

    def __init__(self, loaded):
        self.loaded, self.run = loaded, build()
        probe = data.probe_rows(loaded.train_labels, PROBE_ROWS)
        self.sets = [
            (inputs, labels.astype("int32"))
            for inputs, labels in [
                (loaded.train_inputs, loaded.train_labels),
                (loaded.train_inputs[probe], loaded.train_labels[probe]),
                (loaded.test_inputs, loaded.test_labels),
            ]
        ]

    def train(self, points):
        """Results of trials of one shape, those of one seed together."""
        import jax
        import numpy as np

        shape = points[0]
        seeds = sorted({point.seed for point in points})
        rates = sorted({point.learning_rate for point in points})
        sizes = shape.layer_sizes(self.loaded.inputs, data.CLASSES)
        drawn = [data.initial_parameters(sizes, seed) for seed in seeds]
        initial = [
            (np.stack([network[layer][0].T for network in drawn]), np.stack([network[layer][1] for network in drawn]))
            for layer in range(len(sizes))
        ]
        orders = [data.batches(self.loaded.rows, shape.batch_size, shape.steps, seed) for seed in seeds]
        order = np.stack(orders, 1).astype(np.int32)
        columns = self.run(initial, np.array(rates, np.float32), order, *self.sets)
        columns = [column.ravel().tolist() for column in jax.device_get(columns)]
        assert [(point.seed, point.learning_rate) for point in points] == [(s, r) for s in seeds for r in rates]
        return [peer.Result(point, *values) for point, *values in zip(points, *columns)]


def work(connection, shapes, loaded):
    """A process: the same shapes whenever it is told to."""
    trainer = Trainer(loaded)
    while connection.recv():
        connection.send([result for points in shapes for result in trainer.train(points)])


def main():
    """Both passes over the workload."""
    chosen, loaded = peer.load(OPTIONS)
    if OPTIONS.processes > 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    shares = [([], [0]) for _ in range(OPTIONS.processes)]
    by_cost = sorted(
        chosen.shapes().values(),
        key=lambda points: len(points) * points[0].training_flops(loaded.inputs, data.CLASSES), reverse=True,
    )
    for points in by_cost:
        share, total = min(shares, key=lambda share: share[1])
        share.append(points)
        total[0] += len(points) * points[0].training_flops(loaded.inputs, data.CLASSES)
    connections = []
    context = multiprocessing.get_context("fork")
    for share, _ in shares:
        ours, theirs = context.Pipe()
        context.Process(target=work, args=(theirs, share, loaded), daemon=True).start()
        connections.append(ours)

    def one_pass(path, **notes):
        started = time.time()
        for connection in connections:
            connection.send(True)
        results = [result for connection in connections for result in connection.recv()]
        peer.write(path, results, {"started": started, **notes})

    one_pass(OPTIONS.results)
    one_pass(f"{OPTIONS.results}.warm")


if __name__ == "__main__":
    main()
