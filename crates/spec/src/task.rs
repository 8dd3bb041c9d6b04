//! What the task of a trial makes of its other hyperparameters.

use crate::drawn_task::DrawnTask;
use crate::error::SpecError;
use crate::hyperparameter::{HyperparameterId, Hyperparameters, TASK_PARAMETERS};

/// Rows that gaussian-mixture and teacher-student draw to train on.
const TRAIN_ROWS: u64 = 8_000;
/// Rows that they draw to test on.
const TEST_ROWS: u64 = 2_000;

/// Size of a drawn task's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskSize {
    /// n_0, numbers a row.
    pub inputs: u64,
    /// K
    pub classes: u64,
    /// Rows of the training split, before `train_samples`.
    pub train_rows: u64,
    /// Rows of the test split.
    pub test_rows: u64,
}

impl TaskSize {
    /// Size of the data of a trial of this task. modular-addition trains on `task_train_share`
    /// of the p^2 pairs, rounded to whole pairs, but at least on one and never on all.
    pub fn of(task: DrawnTask, trial: &Hyperparameters) -> TaskSize {
        match task {
            DrawnTask::GaussianMixture | DrawnTask::TeacherStudent => TaskSize {
                inputs: trial.task_dimension as u64,
                classes: trial.task_classes as u64,
                train_rows: TRAIN_ROWS,
                test_rows: TEST_ROWS,
            },
            DrawnTask::ModularAddition => {
                let p = trial.task_p as u64;
                let share = trial.task_train_share * (p * p) as f64;
                let train_rows = (share.round() as u64).clamp(1, p * p - 1);
                TaskSize { inputs: 2 * p, classes: p, train_rows, test_rows: p * p - train_rows }
            }
        }
    }
}

impl Hyperparameters {
    /// The trial's task, if its data are drawn.
    pub fn drawn_task(&self) -> Option<DrawnTask> {
        DrawnTask::from_name(&self.task)
    }

    /// Whether the trial has this hyperparameter: parameters of a task are those of its trials
    /// only. What it does not have is at its default and null in the tables.
    pub fn has(&self, id: HyperparameterId) -> bool {
        id.definition().belongs_to(&self.task)
    }

    /// Whether trials of one unit may differ in it. Where the data are drawn, every `data_seed`
    /// is a data set of its own, and so part of the shape.
    pub fn is_fusable(&self, id: HyperparameterId) -> bool {
        let definition = id.definition();
        definition.fusable && (definition.name != "data_seed" || self.drawn_task().is_none())
    }

    /// Size of the data, where they are drawn.
    pub fn task_size(&self) -> Option<TaskSize> {
        self.drawn_task().map(|task| TaskSize::of(task, self))
    }

    /// Refuses another task's parameter away from its default: it would make a trial of its own
    /// that does not differ.
    pub(crate) fn check_task_parameters(&self) -> Result<(), SpecError> {
        for id in TASK_PARAMETERS.iter().copied().filter(|id| !self.has(*id)) {
            let value = self.get(id);
            if value != id.default_value() {
                let (name, task) = (id.name(), &self.task);
                let owners = id.definition().tasks_in_words();
                return Err(SpecError::new(
                    name,
                    format!(
                        "{value} with task {task}: {name} is a parameter of {owners}; give each task a [[grid]] of its own, or exclude these points with a condition"
                    ),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_from_the_parameters() {
        let size = |task: &str, p, share| {
            let trial = Hyperparameters {
                task: task.into(),
                task_p: p,
                task_train_share: share,
                task_dimension: 5,
                task_classes: 3,
                ..Default::default()
            };
            trial
                .task_size()
                .map(|size| (size.inputs, size.classes, size.train_rows, size.test_rows))
        };
        assert_eq!(size("digits", 7, 0.5), None);
        assert_eq!(size("gaussian-mixture", 7, 0.5), Some((5, 3, 8_000, 2_000)));
        assert_eq!(size("teacher-student", 7, 0.5), Some((5, 3, 8_000, 2_000)));
        // 0.3 of 49 is 14.7.
        assert_eq!(size("modular-addition", 7, 0.3), Some((14, 7, 15, 34)));
        assert_eq!(size("modular-addition", 2, 0.01), Some((4, 2, 1, 3)));
        assert_eq!(size("modular-addition", 2, 0.99), Some((4, 2, 3, 1)));
    }

    #[test]
    fn data_seed_is_fusable_only_where_the_data_are_read() {
        let data_seed = HyperparameterId::from_name("data_seed").expect("known name");
        let of = |task: &str| Hyperparameters { task: task.into(), ..Default::default() };
        assert!(of("digits").is_fusable(data_seed) && of("idx:a").is_fusable(data_seed));
        assert!(DrawnTask::ALL.iter().all(|task| !of(task.name()).is_fusable(data_seed)));
    }

    #[test]
    fn every_task_parameter_is_prefixed_and_nothing_else_is() {
        for id in HyperparameterId::all() {
            let is_parameter = !id.definition().tasks.is_empty();
            assert_eq!(id.name().starts_with("task_"), is_parameter, "{}", id.name());
        }
    }
}
