//! How many trials a unit gets.

use std::time::Duration;

use phasegrid_spec::{Hyperparameters, Measure, Optimizer, TaskSize};

/// Work a unit aims at.
const TARGET: Duration = Duration::from_secs(30);
/// Work the first unit of a worker aims at, whose speed is a guess.
const FIRST_TARGET: Duration = Duration::from_secs(10);
/// Sharing the tail among slots stops at units of this little work.
const LEAST_SHARE: Duration = Duration::from_millis(500);
/// Share of a worker's remaining life that one unit may take.
const SHARE_OF_LIFE: f64 = 0.7;
/// Floating-point operations a second of a slot that has not been measured.
const CPU_GUESS: f64 = 1e10;
const GPU_GUESS: f64 = 2e11;
/// How much faster than the guess an unmeasured slot may prove.
const DOUBT: f64 = 10.0;
/// Rows of an evaluation chunk, held at once however small the probe is.
const EVALUATED_ROWS: u64 = 1_000;
/// Cost of one layer and step beyond its arithmetic, in operations.
const OPERATIONS_PER_LAYER: f64 = 2e4;

/// What one trial of a shape costs, estimated from its hyperparameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrialCost {
    /// Memory while it trains and is measured, bytes.
    pub bytes: u64,
    /// Floating-point operations of one training step.
    pub operations_per_step: f64,
    /// Training steps.
    pub steps: u64,
}

impl TrialCost {
    /// Estimates a trial. Memory: parameters, their gradients, the optimizer's states and one
    /// scratch copy, and the activations of a minibatch or of the probe set, whichever is more,
    /// before and after each nonlinearity, all f32. Arithmetic: 2 operations a parameter and row
    /// forward, 4 backward.
    pub fn estimate(trial: &Hyperparameters, measure: &Measure) -> Self {
        let TaskSize { inputs, classes, train_rows, .. } = task_size(trial);
        let depth = trial.depth.max(1) as u64;
        let width = trial.width.max(1) as u64;
        let rows = trial.batch_size.max(1) as u64;
        let parameters = inputs * width + (depth - 1) * width * width + width * classes;
        let states = match trial.optimizer {
            Optimizer::Sgd if trial.momentum == 0.0 => 0,
            Optimizer::Sgd => 1,
            Optimizer::Adam | Optimizer::AdamW => 2,
        };
        let probe =
            if measure.metrics.is_empty() { 0 } else { measure.probe_samples.min(train_rows) };
        let held_rows = rows.max(EVALUATED_ROWS).max(probe);
        let activations = held_rows * (2 * depth * width + classes);
        let arithmetic = 6.0 * parameters as f64 * rows as f64;
        Self {
            bytes: 4 * (parameters * (3 + states) + activations),
            operations_per_step: arithmetic + OPERATIONS_PER_LAYER * (depth + 1) as f64,
            steps: trial.steps.max(1) as u64,
        }
    }

    /// Operations of the whole trial.
    pub fn operations(&self) -> f64 {
        self.operations_per_step * self.steps as f64
    }
}

/// Size of a trial's task; for tasks not known here, that of MNIST, on the safe side.
fn task_size(trial: &Hyperparameters) -> TaskSize {
    let digits = TaskSize { inputs: 64, classes: 10, train_rows: 1_500, test_rows: 297 };
    let mnist = TaskSize { inputs: 784, classes: 10, train_rows: 60_000, test_rows: 10_000 };
    let read = if *trial.task == *"digits" { digits } else { mnist };
    trial.task_size().unwrap_or(read)
}

/// What a worker can take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorkerCapacity {
    /// Memory one slot may use; 0 = not stated.
    pub slot_memory_bytes: u64,
    /// Measured on its latest unit.
    pub operations_per_second: Option<f64>,
    /// Whether its device is a GPU.
    pub on_gpu: bool,
    /// How long it has to live, if limited.
    pub time_left: Option<Duration>,
}

impl WorkerCapacity {
    fn speed(&self) -> f64 {
        let guess = if self.on_gpu { GPU_GUESS } else { CPU_GUESS };
        self.operations_per_second.filter(|speed| *speed > 0.0).unwrap_or(guess)
    }

    /// Time for so many trials, as estimated. A slot that has not been measured has the benefit of
    /// the doubt: ten times the guessed speed.
    pub fn time_for(&self, cost: &TrialCost, trials: u64) -> Duration {
        let doubt = if self.operations_per_second.is_some() { 1.0 } else { DOUBT };
        let seconds = cost.operations() * trials as f64 / (self.speed() * doubt);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Whether so many trials can be done in 70 % of the life it has left.
    pub fn has_time_for(&self, cost: &TrialCost, trials: u64) -> bool {
        self.time_left.is_none_or(|left| self.time_for(cost, trials) <= left.mul_f64(SHARE_OF_LIFE))
    }

    /// Trials that fit into one slot's memory; at least one, which the trainer may then refuse.
    pub fn trials_in_memory(&self, cost: &TrialCost) -> u64 {
        match self.slot_memory_bytes {
            0 => u64::MAX,
            bytes => (bytes / cost.bytes.max(1)).max(1),
        }
    }
}

/// Most trials the next unit gets: as many as fit in memory and make 30 s of work on this worker
/// (10 s while its speed is a guess), or 70 % of the life it has left.
///
/// The tail is shared: a unit never gets more than `pending / slots` trials, rounded up, where
/// `pending` counts the sweep's trials in no unit and `slots` those of every working worker. So
/// the first units are as large as they should be, the last shrink, and all slots end together;
/// only units of less than half a second of work are not made smaller for it.
pub fn trials_for_unit(
    cost: &TrialCost,
    worker: &WorkerCapacity,
    pending: u64,
    slots: u64,
    limit: u64,
) -> u64 {
    let per_second = worker.speed() / cost.operations().max(1.0);
    let measured = worker.operations_per_second.is_some();
    let target = if measured { TARGET } else { FIRST_TARGET };
    let in_life = worker.time_left.map_or(f64::MAX, |left| left.as_secs_f64() * SHARE_OF_LIFE);
    // `as` saturates: a worker too fast to count gets the limit.
    let by_time = (per_second * target.as_secs_f64().min(in_life)) as u64;
    let least_share = (per_second * LEAST_SHARE.as_secs_f64()) as u64;
    let share = pending.div_ceil(slots.max(1)).max(least_share);
    by_time.min(share).min(worker.trials_in_memory(cost)).clamp(1, limit.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: TrialCost = TrialCost { bytes: 1_000, operations_per_step: 1e6, steps: 1_000 };

    fn worker(speed: f64) -> WorkerCapacity {
        WorkerCapacity {
            slot_memory_bytes: 1_000_000,
            operations_per_second: Some(speed),
            on_gpu: false,
            time_left: None,
        }
    }

    #[test]
    fn a_unit_is_thirty_seconds_of_work() {
        // 10^9 operations a trial, 10^10 a second: ten trials a second.
        assert_eq!(trials_for_unit(&SECOND, &worker(1e10), 1_000_000, 2, 4096), 300);
        let unmeasured = WorkerCapacity { operations_per_second: None, ..worker(1.0) };
        assert_eq!(trials_for_unit(&SECOND, &unmeasured, 1_000_000, 2, 4096), 100);
    }

    #[test]
    fn memory_and_the_limit_bound_it() {
        assert_eq!(trials_for_unit(&SECOND, &worker(1e13), 1_000_000, 2, 4096), 1_000);
        assert_eq!(trials_for_unit(&SECOND, &worker(1e13), 1_000_000, 2, 128), 128);
        let tiny = WorkerCapacity { slot_memory_bytes: 10, ..worker(1e13) };
        assert_eq!(trials_for_unit(&SECOND, &tiny, 1_000_000, 2, 128), 1);
    }

    #[test]
    fn the_tail_is_shared_down_to_half_a_second_of_work() {
        assert_eq!(trials_for_unit(&SECOND, &worker(1e10), 101, 2, 4096), 51);
        assert_eq!(trials_for_unit(&SECOND, &worker(1e10), 8, 2, 4096), 5);
        // Slow trials are shared one by one.
        assert_eq!(trials_for_unit(&SECOND, &worker(1e8), 2, 2, 4096), 1);
    }

    #[test]
    fn a_worker_about_to_end_gets_what_it_can_finish() {
        let ending = WorkerCapacity { time_left: Some(Duration::from_secs(10)), ..worker(1e10) };
        assert_eq!(trials_for_unit(&SECOND, &ending, 1_000_000, 2, 4096), 70);
    }

    #[test]
    fn what_does_not_fit_into_seventy_percent_of_a_life_does_not_fit() {
        let ending = WorkerCapacity { time_left: Some(Duration::from_secs(10)), ..worker(1e9) };
        assert_eq!(ending.time_for(&SECOND, 7), Duration::from_secs(7));
        assert!(ending.has_time_for(&SECOND, 7));
        assert!(!ending.has_time_for(&SECOND, 8));
        assert!(worker(1e-3).has_time_for(&SECOND, u64::MAX), "no limit, no end");
        // 10^10 operations a second are the guess; ten times that is possible.
        let unmeasured = WorkerCapacity { operations_per_second: None, ..ending };
        assert!(unmeasured.has_time_for(&SECOND, 700));
        assert!(!unmeasured.has_time_for(&SECOND, 701));
    }

    #[test]
    fn an_estimate_by_hand() {
        let trial = Hyperparameters { depth: 2, width: 10, batch_size: 5, ..Default::default() };
        let cost = TrialCost::estimate(&trial, &Measure::default());
        // 64·10 + 10·10 + 10·10 = 840 parameters; 3 copies; 1,000 rows of 2·2·10 + 10 activations.
        assert_eq!(cost.bytes, 4 * (840 * 3 + 1_000 * 50));
        // No more probe rows than training rows.
        let wide_probe = Measure { probe_samples: 8_000, ..Measure::default() };
        assert_eq!(TrialCost::estimate(&trial, &wide_probe).bytes, 4 * (840 * 3 + 1_500 * 50));
        assert_eq!(cost.operations_per_step, 6.0 * 840.0 * 5.0 + 3.0 * 2e4);
    }

    #[test]
    fn a_drawn_task_is_as_large_as_its_parameters_say() {
        let modular = Hyperparameters {
            task: "modular-addition".into(),
            task_p: 50,
            depth: 1,
            width: 10,
            batch_size: 5,
            ..Default::default()
        };
        // 100·10 + 10·50 = 1,500 parameters; 1,250 of 2,500 pairs are the probe.
        let wide_probe = Measure { probe_samples: 8_000, ..Measure::default() };
        let cost = TrialCost::estimate(&modular, &wide_probe);
        assert_eq!(cost.bytes, 4 * (1_500 * 3 + 1_250 * (2 * 10 + 50)));
        assert_eq!(cost.operations_per_step, 6.0 * 1_500.0 * 5.0 + 2.0 * 2e4);
    }
}
