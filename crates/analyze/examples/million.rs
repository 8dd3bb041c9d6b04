//! Writes a store of many trials as a run would: `million STORE [trials] [trials a unit]`.
//!
//! Sweep document, shards and layout come from the store crate: rows through `TableBuilder`,
//! `encode_shard`, staged, verified and published unit by unit. Only the measured numbers are
//! made up: smooth functions of the hyperparameters with noise, so that nothing compresses better
//! than real results would. 4 depths x 5 widths x 50 learning rates; the rest are seeds.

use phasegrid_spec::{Hyperparameters, Sweep, SweepFile, TrainRows, TrialId, TrialRange};
use phasegrid_store::{
    Cell, Column, ColumnKind, Publication, SCHEMA_VERSION, StagedFile, Store, SweepDocument, Table,
    TableBuilder, UnitKey, Verification, encode_shard, tables,
};
use std::collections::BTreeMap;
use std::error::Error;
use std::time::Instant;

/// depths x widths x learning rates
const CELLS: u64 = 4 * 5 * 50;
const BINS: usize = 20;
const CLASSES: usize = 10;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("name the folder of the store")?;
    let number = |index: usize, default: u64| {
        arguments.get(index).map_or(Ok(default), |text| text.parse::<u64>())
    };
    let (trials, per_unit) = (number(1, 1_000_000)?, number(2, 4_096)?);
    let started = Instant::now();
    let store = Store::open_or_create(folder, &[])?;
    let sweep = submit(&store, trials / CELLS)?;
    let mut unit = 0;
    let mut start = 0;
    while start < sweep.raw_len(0) {
        let end = sweep.shape_end(0, start).min(start + per_unit);
        publish(&store, &sweep, unit, TrialRange { grid: 0, start, end })?;
        (unit, start) = (unit + 1, end);
    }
    println!("{start} trials in {unit} units: {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Resolves the sweep file and writes its document, as a coordinator does.
fn submit(store: &Store, seeds: u64) -> Outcome<Sweep> {
    let text = format!(
        "name = \"million\"\ntask = \"digits\"\n[fixed]\nsteps = 500\n[axes]\ndepth = [1, 2, 3, 4]\nwidth = {{ log2 = [8, 128] }}\nlearning_rate = {{ log = [1e-3, 1.0], points = 50 }}\nseed = {{ range = [0, {seeds}] }}\n[measure]\nat = \"last\"\nhistory = 0\n"
    );
    let file = SweepFile::parse(&text, "million.toml")?;
    let (measure, block) = file.resolve(&TrainRows::default())?;
    let document = SweepDocument {
        name: "million".to_owned(),
        schema_version: SCHEMA_VERSION,
        coordinator: "benchmark".to_owned(),
        owner: String::new(),
        measure: measure.clone(),
        grids: block.grids.clone(),
        datasets: BTreeMap::new(),
    };
    store.create_sweep_document(&document)?;
    Ok(Sweep::new("million", measure, vec![block]))
}

/// Encodes, stages, verifies and publishes one unit, as worker and coordinator do.
fn publish(store: &Store, sweep: &Sweep, unit: u64, range: TrialRange) -> Outcome<()> {
    let key = UnitKey { sweep: sweep.name().to_owned(), unit, attempt: 1 };
    let mut trials = TableBuilder::new(Table::Trials);
    let mut layers = TableBuilder::new(Table::Layers);
    for (_, trial) in sweep.trials_in(range) {
        let id = TrialId::of(&trial);
        let result = Synthetic::of(&trial);
        trials.append(&trial, &id, result.trial_row(&trial, unit))?;
        if !result.diverged {
            for layer in 1..=trial.depth {
                layers.append(&trial, &id, result.layer_row(&trial, layer))?;
            }
        }
    }
    let mut files: Vec<StagedFile> = Vec::new();
    for (table, builder) in [(Table::Trials, &mut trials), (Table::Layers, &mut layers)] {
        let rows = builder.rows() as u64;
        if rows > 0 {
            let bytes = encode_shard(table, &[builder.finish()?])?;
            files.push(store.stage(&key, table.name(), "", rows, &bytes)?);
        }
    }
    if store.verify(&key, &files)? != Verification::Intact {
        return Err("a staged file is not as it was written".into());
    }
    if store.publish(&key, &files)? != Publication::Visible {
        return Err("a staged file is gone".into());
    }
    store.clear_staging(&key.sweep, unit, None)?;
    Ok(())
}

/// Made-up results of one trial.
struct Synthetic {
    quality: f64,
    diverged: bool,
    noise: Noise,
}

impl Synthetic {
    fn of(trial: &Hyperparameters) -> Synthetic {
        let key = format!("{} {} {} {}", trial.depth, trial.width, trial.learning_rate, trial.seed);
        let mut noise = Noise::of(&key);
        let stress = trial.learning_rate.log10() + 0.35 * (trial.depth as f64).log2();
        let capacity = 1.0 - 1.5 / trial.width as f64;
        let distance = (stress + 0.8) / 1.1;
        Synthetic {
            quality: 0.1 + 0.87 * capacity / (1.0 + distance.powi(4)) + 0.015 * noise.next(),
            diverged: stress + 0.25 * noise.next() > 0.35,
            noise,
        }
    }

    fn trial_row(&self, trial: &Hyperparameters, unit: u64) -> Vec<(&'static str, Cell)> {
        let mut row = vec![
            ("status", Cell::Text(if self.diverged { "diverged" } else { "ok" }.into())),
            ("steps_done", Cell::Integer(trial.steps)),
            ("samples_seen", Cell::Integer(trial.steps * trial.batch_size)),
            ("train_seconds", Cell::Float(0.01)),
            ("measure_seconds", Cell::Float(0.004)),
            ("dataset", Cell::Text("0123456789abcdef".repeat(4))),
            ("device", Cell::Text("cpu".into())),
            ("worker", Cell::Text("benchmark".into())),
            ("attempt", Cell::Integer(1)),
            ("unit", Cell::Integer(unit as i64)),
            ("finished_at", Cell::Time(1_760_000_000_000_000 + unit as i64)),
        ];
        if self.diverged {
            row.push(("phase", Cell::Text("diverged".into())));
            return row;
        }
        let phase = if self.quality > 0.6 { "I" } else { "II" };
        row.push(("phase", Cell::Text(phase.into())));
        let accuracies =
            ["train_loss", "train_accuracy", "train_accuracy_clean", "test_loss", "test_accuracy"];
        let mut noise = self.noise;
        for name in accuracies {
            row.push((name, Cell::Float(self.quality + 0.01 * noise.next())));
        }
        row.extend(self.measured(Table::Trials, 0));
        row
    }

    fn layer_row(&self, trial: &Hyperparameters, layer: i64) -> Vec<(&'static str, Cell)> {
        let mut row = vec![("step", Cell::Integer(trial.steps)), ("layer", Cell::Integer(layer))];
        row.extend(self.measured(Table::Layers, layer));
        row
    }

    /// Every number that a default metric fills.
    fn measured(&self, table: Table, layer: i64) -> Vec<(&'static str, Cell)> {
        let is_default = |column: &&Column| {
            column.metric.is_some_and(|metric| {
                ["order", "lmap", "sample_basin", "weight_basin"].contains(&metric)
            })
        };
        let mut noise = self.noise;
        let mut number = || self.quality - 0.05 * layer as f64 + 0.1 * noise.next();
        let mut row = Vec::new();
        for column in tables::columns(table).iter().filter(is_default) {
            let cell = match column.kind {
                ColumnKind::Float => Cell::Float(number()),
                ColumnKind::Integer => Cell::Integer((100.0 * number()) as i64),
                ColumnKind::Floats => {
                    let length = if column.name.ends_with("_class") { CLASSES } else { BINS };
                    Cell::Floats((0..length).map(|_| Some(number())).collect())
                }
                _ => continue,
            };
            row.push((column.name, cell));
        }
        row
    }
}

/// Reproducible numbers in -1…1 (splitmix64).
#[derive(Clone, Copy)]
struct Noise(u64);

impl Noise {
    fn of(key: &str) -> Noise {
        // FNV-1a
        let mix = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        Noise(key.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }

    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}
