//! A sweep that looks like one: smooth phases over depth, width and learning rate.

use super::fixture::Fixture;
use polars::prelude::*;

/// The grid of a synthetic sweep.
pub(crate) struct Synthetic {
    pub(crate) depths: Vec<i64>,
    pub(crate) widths: Vec<i64>,
    pub(crate) rates: usize,
    pub(crate) seeds: i64,
}

/// A reproducible number in -1…1.
fn noise(a: usize, b: u64) -> f64 {
    let mut state =
        (a as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state ^= state >> 31;
    state = state.wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^= state >> 29;
    (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

struct Trial {
    depth: i64,
    width: i64,
    rate: f64,
    seed: i64,
}

impl Synthetic {
    fn rate_values(&self) -> Vec<f64> {
        (0..self.rates)
            .map(|i| 1e-3 * 1e3_f64.powf(i as f64 / (self.rates.max(2) - 1) as f64))
            .map(|rate| format!("{rate:.11e}").parse().unwrap())
            .collect()
    }

    fn trials(&self) -> Vec<Trial> {
        let mut trials = Vec::new();
        for depth in &self.depths {
            for width in &self.widths {
                for rate in self.rate_values() {
                    for seed in 0..self.seeds {
                        trials.push(Trial { depth: *depth, width: *width, rate, seed });
                    }
                }
            }
        }
        trials
    }

    /// Writes the sweep's document and tables. The last `missing` cells have not been run.
    pub(crate) fn write(&self, fixture: &Fixture, sweep: &str, missing: usize) {
        let list = |values: Vec<String>| values.join(", ");
        let axis = |name: &str, kind: &str, values: String| {
            format!(r#"{{"name": "{name}", "kind": "{kind}", "values": [{values}]}}"#)
        };
        let axes = [
            axis("depth", "list", list(self.depths.iter().map(i64::to_string).collect())),
            axis("width", "log2", list(self.widths.iter().map(i64::to_string).collect())),
            axis(
                "learning_rate",
                "log",
                list(self.rate_values().iter().map(f64::to_string).collect()),
            ),
            axis("seed", "range", list((0..self.seeds).map(|seed| seed.to_string()).collect())),
        ];
        fixture.document(sweep, &format!("[{{\"fixed\": {{}}, \"axes\": [{}]}}]", axes.join(", ")));

        let mut trials = self.trials();
        trials.truncate(trials.len() - missing * self.seeds as usize);
        let ids: Vec<String> = (0..trials.len()).map(|number| format!("{number:032x}")).collect();
        let stress = |trial: &Trial| trial.rate.log10() + 0.35 * (trial.depth as f64).log2();
        let diverged: Vec<bool> = trials
            .iter()
            .enumerate()
            .map(|(i, trial)| stress(trial) + 0.25 * noise(i, 1) > 0.35)
            .collect();
        let quality: Vec<f64> = trials
            .iter()
            .enumerate()
            .map(|(i, trial)| {
                let distance = stress(trial) + 0.8;
                let capacity = 1.0 - 1.5 / trial.width as f64;
                0.1 + 0.87 * capacity / (1.0 + (distance / 1.1).powi(4)) + 0.015 * noise(i, 2)
            })
            .collect();
        let ok = |values: Vec<f64>| -> Vec<Option<f64>> {
            values
                .into_iter()
                .zip(&diverged)
                .map(|(value, diverged)| (!diverged).then_some(value))
                .collect()
        };
        let gradient: Vec<f64> = trials
            .iter()
            .enumerate()
            .map(|(i, trial)| {
                2.4 * (quality[i] - 0.3) - 0.2 * trial.depth as f64 + 0.1 * noise(i, 3)
            })
            .collect();
        let basin: Vec<f64> = trials
            .iter()
            .enumerate()
            .map(|(i, trial)| {
                0.02 * 10_f64.powf(2.4 * quality[i]) / (trial.depth as f64 + 0.3 * noise(i, 4))
            })
            .collect();
        let phase: Vec<Option<&str>> = trials
            .iter()
            .enumerate()
            .map(|(i, _)| {
                Some(match (diverged[i], quality[i]) {
                    (true, _) => "diverged",
                    (_, quality) if quality < 0.3 => "untrained",
                    _ if gradient[i] > 0.55 + 0.1 * noise(i, 5) => "I",
                    _ if gradient[i] > -0.05 => "flat",
                    _ => "II",
                })
            })
            .collect();
        let column = |value: fn(&Trial) -> i64| trials.iter().map(value).collect::<Vec<i64>>();
        let rates: Vec<f64> = trials.iter().map(|trial| trial.rate).collect();
        let status: Vec<&str> =
            diverged.iter().map(|diverged| if *diverged { "diverged" } else { "ok" }).collect();
        let frame = df!(
            "trial_id" => &ids,
            "task" => vec!["digits"; trials.len()],
            "depth" => column(|trial| trial.depth),
            "width" => column(|trial| trial.width),
            "learning_rate" => &rates,
            "batch_norm" => vec![false; trials.len()],
            "seed" => column(|trial| trial.seed),
            "status" => status,
            "test_accuracy" => ok(quality.clone()),
            "opt_fraction" => ok(quality.iter().map(|quality| 0.3 + 0.5 * quality).collect()),
            "rpd_gradient" => ok(gradient.clone()),
            "sample_basin" => ok(basin.clone()),
            "weight_basin" => ok(basin.iter().map(|basin| basin * 0.3).collect()),
            "phase" => phase,
        )
        .unwrap();
        fixture.shard("trials", sweep, 0, frame);

        let mut rows: Vec<(usize, i64, i64)> = Vec::new();
        for (number, trial) in trials.iter().enumerate() {
            for step in [0, 500] {
                rows.extend((1..=trial.depth).map(|layer| (number, step, layer)));
            }
        }
        let of = |value: fn(&Trial) -> i64| {
            rows.iter().map(|(number, ..)| value(&trials[*number])).collect::<Vec<i64>>()
        };
        let layered = |base: &[f64], slope: f64| -> Vec<f64> {
            rows.iter()
                .map(
                    |(number, step, layer)| {
                        if *step == 0 { 0.0 } else { base[*number] + slope * *layer as f64 }
                    },
                )
                .collect()
        };
        let frame = df!(
            "trial_id" => rows.iter().map(|(number, ..)| ids[*number].as_str()).collect::<Vec<_>>(),
            "depth" => of(|trial| trial.depth),
            "width" => of(|trial| trial.width),
            "learning_rate" => rows.iter().map(|(number, ..)| rates[*number]).collect::<Vec<_>>(),
            "seed" => of(|trial| trial.seed),
            "step" => rows.iter().map(|(_, step, _)| *step).collect::<Vec<_>>(),
            "layer" => rows.iter().map(|(.., layer)| *layer).collect::<Vec<_>>(),
            "rpd_gradient" => layered(&gradient, 0.1),
            "opt_fraction" => layered(&quality, 0.02),
            "lmap_accuracy" => layered(&quality, 0.01),
        )
        .unwrap();
        fixture.shard("layers", sweep, 0, frame);
    }
}
