//! One unit, from the request to its tables.

use crate::pipe::Replies;
use crate::recorder::Recorder;
use phasegrid_metrics::nearest_train_rms;
use phasegrid_nn::{NnError, Outcome, Status, train};
use phasegrid_proto::v1::trainer_reply::Body;
use phasegrid_proto::v1::{Batch, Done, Failed, FailureCause, Stopped, Unit};
use phasegrid_spec::{Hyperparameters, Measure, TrialId};
use phasegrid_store::{Cell, MetricDescription, Table, TableBuilder, encode_ipc};
use phasegrid_tasks::{Dataset, load_for, same_data, task_fingerprint};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Trains unit after unit; keeps the data of the last one.
pub(crate) struct UnitTrainer {
    data_dir: Option<PathBuf>,
    worker: String,
    device_name: String,
    device: tch::Device,
    /// The last unit's first trial, and its data.
    dataset: Option<(Hyperparameters, Dataset)>,
    /// `nearest_train_rms` of that data, once it was asked for.
    nearest_train_rms: Option<Option<f64>>,
}

/// Why a unit was not trained.
enum Problem {
    Data(String),
    Refused(String),
    Training(NnError),
}

impl UnitTrainer {
    pub(crate) fn new(
        data_dir: Option<PathBuf>,
        worker: String,
        device_name: String,
        device: tch::Device,
    ) -> Self {
        UnitTrainer {
            data_dir,
            worker,
            device_name,
            device,
            dataset: None,
            nearest_train_rms: None,
        }
    }

    /// Trains a unit, sends its tables, and returns the closing reply.
    pub(crate) fn train(&mut self, unit: &Unit, stop: &AtomicBool, replies: &Replies) -> Body {
        match self.try_train(unit, stop, replies) {
            Ok(done) => Body::Done(done),
            Err(Problem::Training(NnError::Cancelled)) => Body::Stopped(Stopped {}),
            Err(problem) => {
                let (cause, message) = match problem {
                    Problem::Data(message) => (FailureCause::Data, message),
                    Problem::Refused(message) => (FailureCause::Refused, message),
                    Problem::Training(error) if error.is_out_of_memory() => {
                        (FailureCause::OutOfMemory, error.to_string())
                    }
                    Problem::Training(NnError::Task(error)) => {
                        (FailureCause::Data, error.to_string())
                    }
                    Problem::Training(error @ (NnError::Torch(_) | NnError::Observer(_))) => {
                        (FailureCause::Crash, error.to_string())
                    }
                    Problem::Training(error) => (FailureCause::Refused, error.to_string()),
                };
                Body::Failed(Failed { cause: cause as i32, message })
            }
        }
    }

    fn try_train(
        &mut self,
        unit: &Unit,
        stop: &AtomicBool,
        replies: &Replies,
    ) -> Result<Done, Problem> {
        let read = |json: &String| Hyperparameters::from_canonical_json(json);
        let trials: Vec<Hyperparameters> =
            unit.trials.iter().map(read).collect::<Result<_, _>>().map_err(Problem::Refused)?;
        let measure: Measure = serde_json::from_str(&unit.measure)
            .map_err(|error| Problem::Refused(format!("measure: {error}")))?;
        MetricDescription::check_names(&measure.metrics).map_err(Problem::Refused)?;
        let first =
            trials.first().ok_or_else(|| Problem::Refused("the unit has no trials".into()))?;
        self.load(first, &unit.dataset)?;
        let Some((_, dataset)) = &self.dataset else {
            return Err(Problem::Data(format!("task {} is not loaded", first.task)));
        };
        let ids: Vec<TrialId> = trials.iter().map(TrialId::of).collect();
        let send = |body: Body| replies.send(body);
        let mut recorder =
            Recorder::new(&trials, &ids, dataset, &measure, self.device, stop, &send);
        let started = Instant::now();
        let outcomes =
            train(&trials, dataset, &recorder.observed_steps(), self.device, &mut recorder)
                .map_err(Problem::Training)?;
        let measure_seconds = recorder.measuring.as_secs_f64();
        let train_seconds = started.elapsed().as_secs_f64() - measure_seconds;
        let nearest_train_rms = match measure.metrics.iter().any(|name| name == "sample_basin") {
            true => *self
                .nearest_train_rms
                .get_or_insert_with(|| nearest_train_rms(dataset, self.device)),
            false => None,
        };
        let place = Place {
            unit,
            worker: &self.worker,
            device: &self.device_name,
            dataset,
            nearest_train_rms,
        };
        let mut table = trials_table(&recorder, &outcomes, &place, train_seconds, measure_seconds)?;
        for (table, builder) in [
            (Table::Trials, &mut table),
            (Table::History, &mut recorder.history),
            (Table::Layers, &mut recorder.layers),
            (Table::Basins, &mut recorder.basins),
        ] {
            send_table(table, builder, replies)?;
        }
        let trials_diverged =
            outcomes.iter().filter(|outcome| outcome.status != Status::Ok).count() as u64;
        Ok(Done {
            trials_ok: trials.len() as u64 - trials_diverged,
            trials_diverged,
            train_seconds,
            measure_seconds,
        })
    }

    /// Loads the data of a unit, all of which its first trial's data are. `fingerprint` is the
    /// task's, empty where any will do.
    fn load(&mut self, first: &Hyperparameters, fingerprint: &str) -> Result<(), Problem> {
        let task = &first.task;
        if self.dataset.as_ref().is_none_or(|(loaded, _)| !same_data(loaded, first)) {
            let dataset = load_for(first, self.data_dir.as_deref())
                .map_err(|error| Problem::Data(error.to_string()))?;
            if let Some(note) = &dataset.note {
                eprintln!("note: {task}: {note}");
            }
            self.dataset = Some((first.clone(), dataset));
            self.nearest_train_rms = None;
        }
        let found = self.dataset.as_ref().map_or("", |(_, dataset)| task_fingerprint(dataset));
        if !fingerprint.is_empty() && fingerprint != found {
            return Err(Problem::Data(format!(
                "the data of task {task} has fingerprint {found}, the sweep was begun on {fingerprint}"
            )));
        }
        Ok(())
    }
}

/// Where a unit was trained.
struct Place<'a> {
    unit: &'a Unit,
    worker: &'a str,
    device: &'a str,
    dataset: &'a Dataset,
    /// Where the metric `sample_basin` is measured.
    nearest_train_rms: Option<f64>,
}

fn trials_table(
    recorder: &Recorder<'_>,
    outcomes: &[Outcome],
    place: &Place<'_>,
    train_seconds: f64,
    measure_seconds: f64,
) -> Result<TableBuilder, Problem> {
    let mut table = TableBuilder::new(Table::Trials);
    let count = outcomes.len() as f64;
    let finished_at = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_micros() as i64);
    let integer = |value: Option<i64>| value.map_or(Cell::Null, Cell::Integer);
    for (index, outcome) in outcomes.iter().enumerate() {
        let (trial, record) = (&recorder.trials[index], &recorder.records[index]);
        let diverged_step = match outcome.status {
            Status::Ok => None,
            Status::Diverged { step } => Some(step),
        };
        let mut cells: Vec<(&str, Cell)> = vec![
            ("status", Cell::Text(if diverged_step.is_some() { "diverged" } else { "ok" }.into())),
            ("diverged_step", integer(diverged_step)),
            ("steps_done", Cell::Integer(outcome.steps_done)),
            ("samples_seen", Cell::Integer(outcome.steps_done * trial.batch_size)),
            ("train_seconds", Cell::Float(train_seconds / count)),
            ("measure_seconds", Cell::Float(measure_seconds / count)),
            ("nearest_train_rms", place.nearest_train_rms.map_or(Cell::Null, Cell::Float)),
            ("dataset", Cell::Text(place.dataset.fingerprint.clone())),
            ("device", Cell::Text(place.device.to_owned())),
            ("worker", Cell::Text(place.worker.to_owned())),
            ("attempt", Cell::Integer(place.unit.attempt as i64)),
            ("unit", Cell::Integer(place.unit.unit as i64)),
            ("finished_at", Cell::Time(finished_at)),
        ];
        if diverged_step.is_some() {
            cells.push(("phase", Cell::Text("diverged".into())));
        } else {
            cells.extend(record.last.iter().cloned());
            cells.push((
                "onset_mixed_step",
                integer(record.onset_mixed_step().map(|step| step as i64)),
            ));
            let sharpness = record.initial_sharpness;
            cells.push(("sharpness_initial", sharpness.map_or(Cell::Null, Cell::Float)));
            cells.extend(record.fit_cells());
        }
        table
            .append(trial, &recorder.ids[index], cells)
            .map_err(|error| Problem::Refused(error.to_string()))?;
    }
    Ok(table)
}

fn send_table(table: Table, builder: &mut TableBuilder, replies: &Replies) -> Result<(), Problem> {
    if builder.rows() == 0 {
        return Ok(());
    }
    let refuse = |error: phasegrid_store::StoreError| Problem::Refused(error.to_string());
    let batch = builder.finish().map_err(refuse)?;
    let message = Batch {
        table: table.name().to_owned(),
        arrow_ipc: encode_ipc(table, &batch).map_err(refuse)?,
    };
    replies.send(Body::Batch(message)).map_err(|error| Problem::Refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use phasegrid_metrics::REGISTRY;
    use phasegrid_spec::AtSteps;
    use phasegrid_store::METRICS;
    use phasegrid_store::tables::columns;
    use std::collections::BTreeSet;

    /// Declared, but null for a trial as good as the one of the test.
    const MAY_BE_NULL: [&str; 3] = ["onset_mixed_step", "noise_scale", "censored"];

    #[test]
    fn every_metric_is_described_and_the_description_names_its_columns() {
        let described: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
        let known: Vec<&str> = REGISTRY.iter().map(|metric| metric.name()).collect();
        assert_eq!(described, known);
        for (description, metric) in METRICS.iter().zip(REGISTRY) {
            let declared: BTreeSet<&str> =
                description.columns_in(Table::Layers).map(|column| column.name).collect();
            assert_eq!(declared, metric.columns().iter().copied().collect(), "{}", metric.name());
            let history: BTreeSet<&str> =
                description.columns_in(Table::History).map(|column| column.name).collect();
            for column in metric.trial_columns() {
                assert!(history.contains(column), "{column}");
            }
        }
    }

    #[test]
    fn a_trained_unit_fills_every_declared_column() {
        let dataset = phasegrid_tasks::load("digits", None).unwrap();
        let trials = vec![Hyperparameters {
            depth: 2,
            width: 16,
            steps: 300,
            learning_rate: 0.1,
            ..Hyperparameters::default()
        }];
        let ids: Vec<TrialId> = trials.iter().map(TrialId::of).collect();
        let measure = Measure {
            at: AtSteps::Last,
            metrics: METRICS.iter().map(|metric| metric.name.to_owned()).collect(),
            probe_samples: 200,
            ..Measure::default()
        };
        let stop = AtomicBool::new(false);
        let send = |_: Body| Ok(());
        let device = tch::Device::Cpu;
        let mut recorder = Recorder::new(&trials, &ids, &dataset, &measure, device, &stop, &send);
        let steps = recorder.observed_steps();
        let outcomes = train(&trials, &dataset, &steps, device, &mut recorder).unwrap();
        let unit = Unit::default();
        let place = Place {
            unit: &unit,
            worker: "w",
            device: "cpu",
            dataset: &dataset,
            nearest_train_rms: nearest_train_rms(&dataset, device),
        };
        let table = trials_table(&recorder, &outcomes, &place, 1.0, 1.0).ok().unwrap();
        let builders = [
            (Table::Trials, table),
            (Table::History, recorder.history),
            (Table::Layers, recorder.layers),
            (Table::Basins, recorder.basins),
        ];
        for (table, mut builder) in builders {
            let batch = builder.finish().unwrap();
            for column in columns(table).iter().filter(|column| column.metric.is_some()) {
                if MAY_BE_NULL.contains(&column.name) {
                    continue;
                }
                let values = batch.column_by_name(column.name).unwrap();
                let nulls = values.null_count();
                assert!(nulls < values.len(), "{}.{}", table.name(), column.name);
            }
        }
    }
}
