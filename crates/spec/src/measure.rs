//! `[measure]`: what is measured, when, and on which rows. Fixed for a sweep name.

use serde::{Deserialize, Serialize};

/// The steps at which metrics are measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtSteps {
    /// This many log-spaced steps, plus step 0 and the last.
    Log(u32),
    /// Exactly these steps, as far as a trial gets.
    Steps(Vec<i64>),
    /// The last step alone.
    Last,
}

/// The rows behind `train_loss` and `train_accuracy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainEvaluation {
    /// The probe rows.
    Probe,
    /// Every training row.
    All,
}

/// Which weights are kept as safetensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaveWeights {
    /// None.
    None,
    /// Those after the last step.
    Final,
    /// Those of every measured step.
    All,
}

/// `[measure]`, resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Steps of the metrics.
    pub at: AtSteps,
    /// Names of the metrics.
    pub metrics: Vec<String>,
    /// Rows of the probe set.
    pub probe_samples: u64,
    /// Seed of the probe set and of every draw a metric makes.
    pub probe_seed: u64,
    /// Further log-spaced steps at which `history` gets loss and accuracy.
    pub history: u32,
    /// Rows of the train columns.
    pub train_rows: TrainEvaluation,
    /// Weights kept.
    pub save_weights: SaveWeights,
}

impl Measure {
    /// Metrics measured where a sweep file names none.
    pub const DEFAULT_METRICS: &'static [&'static str] =
        &["order", "lmap", "sample_basin", "weight_basin"];

    /// Steps at which the metrics of a trial of `steps` steps are measured, ascending.
    pub fn metric_steps(&self, steps: i64) -> Vec<i64> {
        match &self.at {
            AtSteps::Log(points) => {
                let mut at = log_spaced_steps(*points, steps);
                at.extend([0, steps]);
                at.sort_unstable();
                at.dedup();
                at
            }
            AtSteps::Last => vec![steps],
            AtSteps::Steps(list) => {
                let mut at: Vec<i64> = list.iter().copied().filter(|step| *step <= steps).collect();
                at.sort_unstable();
                at.dedup();
                at
            }
        }
    }

    /// Steps at which `history` gets a row: those of the metrics and `history` further ones.
    pub fn history_steps(&self, steps: i64) -> Vec<i64> {
        let mut at = self.metric_steps(steps);
        at.extend(log_spaced_steps(self.history, steps));
        at.sort_unstable();
        at.dedup();
        at
    }

    /// Files of weights that a trial of `steps` steps leaves.
    pub fn weight_files(&self, steps: i64) -> u64 {
        match self.save_weights {
            SaveWeights::None => 0,
            SaveWeights::Final => 1,
            SaveWeights::All => {
                let measured = self.metric_steps(steps);
                measured.len() as u64 + u64::from(!measured.contains(&steps))
            }
        }
    }

    /// The first setting in which two measures differ, in words; `None` if they agree.
    pub fn difference(&self, other: &Measure) -> Option<String> {
        let (Ok(serde_json::Value::Object(ours)), Ok(serde_json::Value::Object(theirs))) =
            (serde_json::to_value(self), serde_json::to_value(other))
        else {
            return None;
        };
        ours.iter()
            .find(|(key, value)| theirs.get(*key) != Some(value))
            .map(|(key, value)| format!("{key} is {value} in the sweep and {} here", theirs[key]))
    }
}

impl Default for Measure {
    fn default() -> Self {
        Measure {
            at: AtSteps::Log(6),
            metrics: Self::DEFAULT_METRICS.iter().map(|name| (*name).to_owned()).collect(),
            probe_samples: 1_000,
            probe_seed: 0,
            history: 20,
            train_rows: TrainEvaluation::Probe,
            save_weights: SaveWeights::None,
        }
    }
}

/// Up to `points` distinct whole steps from 1 to `steps`, evenly spaced in the logarithm and
/// rounded to the nearest, the last included.
pub fn log_spaced_steps(points: u32, steps: i64) -> Vec<i64> {
    if points == 0 || steps < 1 {
        return Vec::new();
    }
    if points == 1 {
        return vec![steps];
    }
    let mut at: Vec<i64> = (0..points)
        .map(|index| {
            let share = f64::from(index) / f64::from(points - 1);
            (steps as f64).powf(share).round() as i64
        })
        .collect();
    at.dedup();
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_log_spaced_steps_plus_the_first_and_last() {
        assert_eq!(Measure::default().metric_steps(500), [0, 1, 3, 12, 42, 144, 500]);
        assert_eq!(Measure::default().metric_steps(3), [0, 1, 2, 3]);
        assert_eq!(Measure::default().metric_steps(0), [0]);
    }

    #[test]
    fn a_list_of_steps_is_taken_as_it_stands() {
        let measure =
            Measure { at: AtSteps::Steps(vec![200, 10]), history: 0, ..Measure::default() };
        assert_eq!(measure.metric_steps(200), [10, 200]);
        assert_eq!(measure.metric_steps(100), [10]);
        assert_eq!(measure.history_steps(200), [10, 200]);
    }

    #[test]
    fn a_difference_names_the_setting() {
        let other = Measure { probe_seed: 3, ..Measure::default() };
        let message = Measure::default().difference(&other);
        assert_eq!(message.as_deref(), Some("probe_seed is 0 in the sweep and 3 here"));
        assert_eq!(Measure::default().difference(&Measure::default()), None);
    }
}
