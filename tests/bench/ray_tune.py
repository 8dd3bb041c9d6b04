"""Ray Tune: one trial per call of a function trainable, on as many actors as there are cores, which are used again.

The training is that of plain_torch.py. Logging, checkpoints and the dashboard are off. Ray listens on every network
interface, so it runs in a network namespace of its own, where there is none but the loopback.
"""

import os
import tempfile

import namespace

if __name__ == "__main__":
    namespace.enter()

os.environ.update(
    RAY_USAGE_STATS_ENABLED="0",
    TUNE_DISABLE_AUTO_CALLBACK_LOGGERS="1",
    TUNE_GLOBAL_CHECKPOINT_S="100000",
    RAY_AIR_NEW_OUTPUT="0",
    RAY_DEDUP_LOGS="0",
    TUNE_MAX_PENDING_TRIALS_PG="64",
    RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0",
)

import ray  # noqa: E402
from ray import tune  # noqa: E402

import peer  # noqa: E402
import workload  # noqa: E402

TRAINER = None


def trial(config, loaded, device):
    """The trainable: trains the point `config` and reports its result."""
    global TRAINER
    import plain_torch  # here, so that the driver itself needs no PyTorch

    if TRAINER is None:
        TRAINER = plain_torch.Trainer(loaded, device)
    result = TRAINER.train(workload.Point(**config["point"]))
    tune.report({name: getattr(result, name) for name in peer.COLUMNS})


def main():
    """Runs the workload."""
    options = peer.arguments(__doc__)
    chosen, loaded = peer.load(options)
    os.environ["PYTHONPATH"] = os.path.dirname(os.path.abspath(__file__))  # the actors inherit it
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        ray.init(num_cpus=options.processes, include_dashboard=False, log_to_driver=False, logging_level="error",
                 _temp_dir=folder)
        trainable = tune.with_parameters(trial, loaded=loaded, device=options.device)
        tuner = tune.Tuner(
            tune.with_resources(trainable, {"cpu": 1}),
            param_space={"point": tune.grid_search([vars(point) for point in chosen.points])},
            tune_config=tune.TuneConfig(max_concurrent_trials=options.processes, reuse_actors=True),
            run_config=tune.RunConfig(storage_path=os.path.join(folder, "results"), verbose=0),
        )
        finished = tuner.fit()
        results = [
            peer.Result(workload.Point(**trial.config["point"]), *(trial.metrics[name] for name in peer.COLUMNS))
            for trial in finished
        ]
        peer.write(options.results, results)
        ray.shutdown()


if __name__ == "__main__":
    main()
