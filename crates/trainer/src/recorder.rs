//! What is measured while a unit trains, trial by trial, and the tables it becomes.

use crate::evaluation::{Evaluation, evaluate_all, weight_norms};
use crate::metric_rows::{
    basin_cells, basin_rows, headline_radius, layer_rows, mean_of, number, trend, trial_cells,
};
use crate::rows::UnitRows;
use crate::weights;
use phasegrid_metrics::phase::{
    AccuracyPoint, Baseline, FirstLayerGradient, LayerTrend, Phase, PhaseEvidence, grokking_delay,
    onset_mixed_step, test_fit_step, train_fit_step,
};
use phasegrid_metrics::{BasinRow, Context, MetricOutput, Space, TestSet, metric};
use phasegrid_nn::{Ensemble, Forward, Measured, NnError, Observer};
use phasegrid_proto::v1::{Progress, Weights, trainer_reply};
use phasegrid_spec::{Hyperparameters, Measure, SaveWeights, TrialId};
use phasegrid_store::{Cell, Table, TableBuilder};
use phasegrid_tasks::Dataset;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tch::Device;

/// Least time between two progress messages.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// The metric that is measured at step 0 even where `at` leaves it out.
const CURVATURE: &str = "curvature";

/// What one trial's rows are made from.
#[derive(Clone, Default)]
pub(crate) struct TrialRecord {
    pub(crate) history: Vec<AccuracyPoint>,
    pub(crate) first_layer: Vec<FirstLayerGradient>,
    pub(crate) initial_train_loss: Option<f64>,
    pub(crate) initial_sharpness: Option<f64>,
    /// Loss, accuracy and metrics at the last step; empty for a trial that diverged.
    pub(crate) last: Vec<(&'static str, Cell)>,
    pub(crate) test_baseline: Option<Baseline>,
}

impl TrialRecord {
    pub(crate) fn onset_mixed_step(&self) -> Option<u64> {
        onset_mixed_step(&self.first_layer)
    }

    /// The cells of `trials` that history tells.
    pub(crate) fn fit_cells(&self) -> [(&'static str, Cell); 3] {
        let integer = |value: Option<i64>| value.map_or(Cell::Null, Cell::Integer);
        let step = |step: Option<u64>| integer(step.map(|step| step as i64));
        let test = |of: Baseline| test_fit_step(&self.history, of);
        let delay = |of: Baseline| grokking_delay(&self.history, of);
        [
            ("train_fit_step", step(train_fit_step(&self.history))),
            ("test_fit_step", step(self.test_baseline.and_then(test))),
            ("grokking_delay", integer(self.test_baseline.and_then(delay))),
        ]
    }
}

/// Watches a unit's training and fills the tables `history` and `layers`.
pub(crate) struct Recorder<'a> {
    pub(crate) trials: &'a [Hyperparameters],
    pub(crate) ids: &'a [TrialId],
    pub(crate) dataset: &'a Dataset,
    pub(crate) measure: &'a Measure,
    pub(crate) device: Device,
    pub(crate) stop: &'a AtomicBool,
    pub(crate) send: &'a dyn Fn(trainer_reply::Body) -> std::io::Result<()>,
    metric_steps: Vec<i64>,
    history_steps: Vec<i64>,
    rows: Option<UnitRows>,
    pub(crate) history: TableBuilder,
    pub(crate) layers: TableBuilder,
    pub(crate) basins: TableBuilder,
    pub(crate) records: Vec<TrialRecord>,
    pub(crate) measuring: Duration,
    last_progress: Instant,
}

/// What the metrics found of one trial at one step.
struct Findings<'a> {
    layer_rows: Vec<Vec<(&'static str, Cell)>>,
    /// Columns by trial, of `history` and, at the end, `trials`.
    trial_cells: Vec<(&'static str, Cell)>,
    basin_rows: Vec<&'a BasinRow>,
    trend: Option<LayerTrend>,
    phase: Option<Phase>,
}

impl Findings<'_> {
    /// The phase, where the metric it is told from was measured.
    fn phase_cell(&self) -> Cell {
        let told = self.trend.and(self.phase);
        told.map_or(Cell::Null, |phase| Cell::Text(phase.name().to_owned()))
    }

    /// The cells of the table `trials`. A network that does no better than guessing keeps all it
    /// had under any noise: its basins say nothing and stay null.
    fn summary(&self, classes: i64) -> Vec<(&'static str, Cell)> {
        let says_nothing = matches!(self.phase, Some(Phase::Untrained | Phase::Collapsed));
        let basin = |space: Space| match says_nothing {
            true => Cell::Null,
            false => headline_radius(&self.basin_rows, space, classes),
        };
        vec![
            ("phase", self.phase_cell()),
            ("rpd_gradient", mean_of("rpd_gradient", &self.layer_rows)),
            ("opt_fraction", mean_of("opt_fraction", &self.layer_rows)),
            ("sample_basin", basin(Space::Sample)),
            ("weight_basin", basin(Space::Weight)),
        ]
    }
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(
        trials: &'a [Hyperparameters],
        ids: &'a [TrialId],
        dataset: &'a Dataset,
        measure: &'a Measure,
        device: Device,
        stop: &'a AtomicBool,
        send: &'a dyn Fn(trainer_reply::Body) -> std::io::Result<()>,
    ) -> Self {
        let steps = trials.first().map_or(0, |trial| trial.steps);
        Recorder {
            trials,
            ids,
            dataset,
            measure,
            device,
            stop,
            send,
            metric_steps: measure.metric_steps(steps),
            history_steps: measure.history_steps(steps),
            rows: None,
            history: TableBuilder::new(Table::History),
            layers: TableBuilder::new(Table::Layers),
            basins: TableBuilder::new(Table::Basins),
            records: vec![TrialRecord::default(); trials.len()],
            measuring: Duration::ZERO,
            last_progress: Instant::now(),
        }
    }

    /// Steps to be shown: those of history, the last for `trials`, and step 0 where a phase is
    /// told from the loss there.
    pub(crate) fn observed_steps(&self) -> Vec<i64> {
        let mut steps = self.history_steps.clone();
        steps.extend(self.trials.first().map(|trial| trial.steps));
        if !self.measure.metrics.is_empty() {
            steps.push(0);
        }
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    fn record(&mut self, measured: &Measured<'_>) -> Result<(), NnError> {
        let is_last = self.trials.first().is_some_and(|trial| trial.steps == measured.step);
        let mut rows = match self.rows.take() {
            Some(rows) => rows,
            None => self.first_rows(measured.trials)?,
        };
        rows.keep(measured.trials);
        let evaluation = evaluate_all(measured.ensemble, &rows);
        let measures =
            self.metric_steps.contains(&measured.step) && !self.measure.metrics.is_empty();
        let chosen = self.measure.metrics.iter().map(String::as_str);
        // The curvature at the start is the measure of the rest: it is always taken.
        let is_due = |name: &&str| measures || (measured.step == 0 && *name == CURVATURE);
        let outputs =
            self.measure_metrics(chosen.filter(is_due).collect(), measured.ensemble, &rows)?;
        let norms = weight_norms(measured.ensemble);
        for (position, trial) in measured.trials.iter().copied().enumerate() {
            if measured.step == 0 {
                let loss = evaluation.of("train_loss", position);
                self.records[trial].initial_train_loss = Some(loss);
            }
            self.records[trial].test_baseline = Some(rows.test_baseline);
            let findings = self.findings(trial, position, &evaluation, &rows, &outputs);
            if self.history_steps.contains(&measured.step) {
                self.add_history(
                    measured.step,
                    trial,
                    position,
                    &evaluation,
                    norms[position],
                    &findings,
                )?;
            }
            self.add_metrics(measured.step, trial, &findings)?;
            if measured.step == 0 {
                self.records[trial].initial_sharpness = number(&findings.trial_cells, "sharpness");
            }
            if is_last {
                let mut last = evaluation.cells(position);
                last.extend(findings.summary(rows.probe.classes));
                last.extend(findings.trial_cells.iter().cloned());
                self.records[trial].last = last;
            }
        }
        let save = match self.measure.save_weights {
            SaveWeights::None => false,
            SaveWeights::Final => is_last,
            SaveWeights::All => is_last || self.metric_steps.contains(&measured.step),
        };
        if save {
            self.save_weights(measured, &rows)?;
        }
        self.rows = Some(rows);
        Ok(())
    }

    /// The rows of the unit; says so where its probe is smaller than was asked for.
    fn first_rows(&self, living: &[usize]) -> Result<UnitRows, NnError> {
        let rows = UnitRows::new(self.dataset, self.measure, self.trials, living, self.device)?;
        let (asked, found) = (self.measure.probe_samples, rows.probe.rows.rows());
        if asked > found as u64 {
            eprintln!("note: probe_samples is {asked}, the probe has all {found} training rows");
        }
        Ok(rows)
    }

    fn measure_metrics(
        &self,
        names: Vec<&str>,
        ensemble: &Ensemble,
        rows: &UnitRows,
    ) -> Result<Vec<MetricOutput>, NnError> {
        let Some(initial) = rows.initial.as_ref().filter(|_| !names.is_empty()) else {
            return Ok(Vec::new());
        };
        let forward: Forward = ensemble.forward(&rows.probe.rows);
        let context = Context {
            ensemble,
            initial,
            probe: &rows.probe,
            test: TestSet { rows: &rows.test.rows, labels: &rows.test.labels },
            forward: &forward,
        };
        let chosen = names.into_iter().filter_map(metric);
        chosen
            .map(|one| one.measure(&context).map_err(|error| NnError::Observer(Box::new(error))))
            .collect()
    }

    /// What the metrics found of one trial, and the phase that follows from it.
    fn findings<'b>(
        &self,
        trial: usize,
        position: usize,
        evaluation: &Evaluation,
        rows: &UnitRows,
        outputs: &'b [MetricOutput],
    ) -> Findings<'b> {
        let depth = self.trials[trial].depth as usize;
        let layer_rows = layer_rows(outputs, position, depth);
        let trend = trend(outputs, position);
        let dead: Vec<Option<f64>> =
            layer_rows.iter().map(|row| number(row, "dead_fraction")).collect();
        let train_loss = evaluation.of("train_loss", position);
        let evidence = PhaseEvidence {
            diverged: false,
            train_accuracy: evaluation.of("train_accuracy", position),
            train_loss,
            initial_train_loss: self.records[trial].initial_train_loss.unwrap_or(train_loss),
            baseline: rows.train_baselines[position],
            dead_fractions: &dead,
            trend: trend.unwrap_or(LayerTrend { slope: None, slope_se: None, spread: None }),
        };
        let phase = evidence.phase();
        Findings {
            layer_rows,
            trial_cells: trial_cells(outputs, position, &self.trials[trial]),
            basin_rows: basin_rows(outputs, position),
            trend,
            phase,
        }
    }

    fn add_history(
        &mut self,
        step: i64,
        trial: usize,
        position: usize,
        evaluation: &Evaluation,
        weight_norm: f64,
        findings: &Findings<'_>,
    ) -> Result<(), NnError> {
        let mut cells = evaluation.cells(position);
        cells.push(("step", Cell::Integer(step)));
        cells.push(("weight_norm", Cell::Float(weight_norm)));
        cells.push(("phase", findings.phase_cell()));
        cells.extend(findings.trial_cells.iter().cloned());
        if let Some(trend) = findings.trend {
            cells.push(("phase_slope", optional(trend.slope)));
            cells.push(("phase_slope_se", optional(trend.slope_se)));
            cells.push(("phase_spread", optional(trend.spread)));
        }
        self.history
            .append(&self.trials[trial], &self.ids[trial], cells)
            .map_err(observer_error)?;
        let known =
            |name: &str| Some(evaluation.of(name, position)).filter(|value| value.is_finite());
        self.records[trial].history.push(AccuracyPoint {
            step: step as u64,
            train_accuracy: known("train_accuracy"),
            test_accuracy: known("test_accuracy"),
        });
        Ok(())
    }

    fn add_metrics(
        &mut self,
        step: i64,
        trial: usize,
        findings: &Findings<'_>,
    ) -> Result<(), NnError> {
        let (parameters, id) = (&self.trials[trial], &self.ids[trial]);
        for (index, cells) in findings.layer_rows.iter().enumerate() {
            let place = [("step", Cell::Integer(step)), ("layer", Cell::Integer(index as i64 + 1))];
            let row = place.into_iter().chain(cells.iter().cloned());
            self.layers.append(parameters, id, row).map_err(observer_error)?;
        }
        for row in &findings.basin_rows {
            let cells = std::iter::once(("step", Cell::Integer(step))).chain(basin_cells(row));
            self.basins.append(parameters, id, cells).map_err(observer_error)?;
        }
        if let Some(first) = findings.layer_rows.first() {
            self.records[trial].first_layer.push(FirstLayerGradient {
                step: step as u64,
                gradient: number(first, "rpd_gradient"),
                se: number(first, "rpd_gradient_se"),
            });
        }
        Ok(())
    }

    fn save_weights(&self, measured: &Measured<'_>, rows: &UnitRows) -> Result<(), NnError> {
        for (position, trial) in measured.trials.iter().copied().enumerate() {
            let tensors = measured.ensemble.trial_tensors(position);
            let index: Vec<i64> =
                rows.probe_index[position].iter().map(|row| *row as i64).collect();
            let labels = rows.probe.labels.get(position as i64).to_device(Device::Cpu).contiguous();
            let labels = Vec::<i64>::try_from(labels)?;
            let trial_id = self.ids[trial].to_string();
            let origin = weights::Origin {
                trial_id: &trial_id,
                step: measured.step,
                probe_samples: self.measure.probe_samples,
                probe_seed: self.measure.probe_seed,
            };
            let bytes = weights::encode(&tensors, &index, &labels, &origin)
                .map_err(|error| NnError::Observer(error.into()))?;
            let message = Weights { trial_id, step: measured.step as u64, safetensors: bytes };
            (self.send)(trainer_reply::Body::Weights(message)).map_err(observer_error)?;
        }
        Ok(())
    }
}

impl Observer for Recorder<'_> {
    fn at_step(&mut self, measured: &Measured<'_>) -> Result<(), NnError> {
        let started = Instant::now();
        let result = self.record(measured);
        self.measuring += started.elapsed();
        result
    }

    fn should_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn progress(&mut self, step: i64) {
        if self.last_progress.elapsed() < PROGRESS_INTERVAL {
            return;
        }
        self.last_progress = Instant::now();
        let steps = self.trials.first().map_or(0, |trial| trial.steps);
        let message = Progress { step: step as u64, steps: steps as u64 };
        // Whoever stopped reading has ended this process's input too.
        let _ = (self.send)(trainer_reply::Body::Progress(message));
    }
}

fn optional(value: Option<f64>) -> Cell {
    value.map_or(Cell::Null, Cell::Float)
}

fn observer_error(error: impl std::error::Error + Send + Sync + 'static) -> NnError {
    NnError::Observer(Box::new(error))
}
