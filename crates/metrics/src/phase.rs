//! The phase of a trial at a measured step, and the steps at which things happen.
//!
//! Host arithmetic on what was measured and stored; no tensors. docs/metrics.md, section 5:
//! the phases' names are the paper's \[P\], the cuts ours \[O\].

/// Standard errors above the baseline below which an accuracy is no better than guessing. \[O\]
const UNTRAINED_SE: f64 = 5.0;
/// Standard errors that a slope, or a fall of g_1, must exceed. \[O\]
const SLOPE_SE: f64 = 2.0;
/// Share of dead units above which a layer passes nothing on. \[O\]
const COLLAPSED_DEAD_FRACTION: f64 = 0.9;
/// Hidden layers from which on phase III is told. \[O\]
const UNIFORM_MIN_DEPTH: usize = 6;
/// Spread of g over layers below which it is uniform: phase III. \[O\]
const UNIFORM_MAX_SPREAD: f64 = 0.1;
/// Train accuracy that counts as fitted. \[O\]
const TRAIN_FIT_ACCURACY: f64 = 0.99;
/// Share of the final test accuracy that counts as fitted. \[O\]
const TEST_FIT_SHARE: f64 = 0.95;

/// How a trained network computes, as one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// A loss or parameter became infinite or NaN.
    Diverged,
    /// No better than guessing with a loss above step 0's, or a layer of dead units.
    Collapsed,
    /// No better than guessing.
    Untrained,
    /// g is the same in all of at least 6 layers.
    III,
    /// g falls with depth: early layers preserve order.
    I,
    /// g rises with depth.
    II,
    /// None of these, more than one layer.
    Flat,
}

impl Phase {
    /// The name in the tables.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Diverged => "diverged",
            Phase::Collapsed => "collapsed",
            Phase::Untrained => "untrained",
            Phase::III => "III",
            Phase::I => "I",
            Phase::II => "II",
            Phase::Flat => "flat",
        }
    }
}

/// Accuracy of guessing the largest class of `rows` rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    /// b, the largest class share, in 0…1.
    pub share: f64,
    /// Rows that accuracies are shares of.
    pub rows: usize,
}

impl Baseline {
    /// From the labels' class sizes; b = 0 of no rows.
    pub fn from_class_sizes(sizes: &[usize]) -> Self {
        let rows = sizes.iter().sum();
        let largest = sizes.iter().copied().max().unwrap_or(0);
        Baseline { share: if rows == 0 { 0.0 } else { largest as f64 / rows as f64 }, rows }
    }

    /// b + 5 se, se = sqrt(b(1 − b)/rows).
    fn threshold(&self) -> f64 {
        let variance = self.share * (1.0 - self.share) / self.rows.max(1) as f64;
        self.share + UNTRAINED_SE * variance.sqrt()
    }

    /// Whether an accuracy is no better than guessing; NaN is not.
    fn is_met_by_guessing(&self, accuracy: f64) -> bool {
        accuracy.is_nan() || accuracy <= self.threshold()
    }
}

/// g over the layers of one trial at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerTrend {
    /// S, least-squares slope of g_l against (l − 1)/(D − 1): the change of g from the first
    /// layer to the last. `None` for D = 1 or where a g_l is null.
    pub slope: Option<f64>,
    /// se_S, sd (ddof 0) of the slope over the joint resamples of the probe.
    pub slope_se: Option<f64>,
    /// V = std_l g_l / mean_l g_l (ddof 0), >= 0. `None` where the mean is not positive, for
    /// D = 1 or where a g_l is null.
    pub spread: Option<f64>,
}

impl LayerTrend {
    /// From g_l, l = 1…D, and the resampled g_l (the same number of values for each layer,
    /// value r of every layer from the same resample).
    pub fn new(gradients: &[Option<f64>], resampled: &[Option<Vec<f64>>]) -> Self {
        let Some(gradients) = gradients.iter().copied().collect::<Option<Vec<f64>>>() else {
            return LayerTrend { slope: None, slope_se: None, spread: None };
        };
        if gradients.len() < 2 {
            return LayerTrend { slope: None, slope_se: None, spread: None };
        }
        let (mean, std) = mean_and_std(&gradients);
        LayerTrend {
            slope: Some(slope(&gradients)),
            slope_se: resampled_slopes(resampled, gradients.len())
                .map(|slopes| mean_and_std(&slopes).1),
            spread: (mean > 0.0).then(|| std / mean),
        }
    }
}

/// The slope under each resample; `None` unless every layer has the same number of values.
fn resampled_slopes(resampled: &[Option<Vec<f64>>], depth: usize) -> Option<Vec<f64>> {
    let layers: Vec<&Vec<f64>> = resampled.iter().map(Option::as_ref).collect::<Option<_>>()?;
    let count = layers.first()?.len();
    if layers.len() != depth || count == 0 || layers.iter().any(|layer| layer.len() != count) {
        return None;
    }
    let of =
        |resample: usize| slope(&layers.iter().map(|layer| layer[resample]).collect::<Vec<_>>());
    Some((0..count).map(of).collect())
}

/// Least-squares slope against (l − 1)/(D − 1), D >= 2.
fn slope(values: &[f64]) -> f64 {
    let last = (values.len() - 1) as f64;
    let (mut mixed, mut square) = (0.0, 0.0);
    for (index, value) in values.iter().enumerate() {
        let position = index as f64 / last - 0.5;
        mixed += position * value;
        square += position * position;
    }
    mixed / square
}

/// Mean and standard deviation with ddof 0 of at least one value.
fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// What the phase of a trial at one step is told from.
#[derive(Clone, Copy, Debug)]
pub struct PhaseEvidence<'a> {
    /// Whether the trial has diverged by this step.
    pub diverged: bool,
    /// Accuracy on the train rows, 0…1.
    pub train_accuracy: f64,
    /// Loss on the train rows.
    pub train_loss: f64,
    /// The same loss at step 0.
    pub initial_train_loss: f64,
    /// Of the train rows.
    pub baseline: Baseline,
    /// `dead_fraction` by layer, l = 1…D.
    pub dead_fractions: &'a [Option<f64>],
    /// g over the layers.
    pub trend: LayerTrend,
}

impl PhaseEvidence<'_> {
    /// The phase: the first that holds, in the order of [`Phase`] (docs/metrics.md, section
    /// 5). `None` for D = 1, and where the slope is null.
    pub fn phase(&self) -> Option<Phase> {
        if self.diverged {
            return Some(Phase::Diverged);
        }
        let guessing = self.baseline.is_met_by_guessing(self.train_accuracy);
        // A loss that is not finite any more is above every other.
        let worse_than_at_start =
            self.train_loss.is_nan() || self.train_loss > self.initial_train_loss;
        let dead =
            self.dead_fractions.iter().flatten().any(|&share| share > COLLAPSED_DEAD_FRACTION);
        if (guessing && worse_than_at_start) || dead {
            return Some(Phase::Collapsed);
        }
        if guessing {
            return Some(Phase::Untrained);
        }
        let depth = self.dead_fractions.len();
        if depth >= UNIFORM_MIN_DEPTH
            && self.trend.spread.is_some_and(|spread| spread < UNIFORM_MAX_SPREAD)
        {
            return Some(Phase::III);
        }
        let (slope, se) = self.trend.slope.zip(self.trend.slope_se)?;
        Some(if slope < -SLOPE_SE * se {
            Phase::I
        } else if slope > SLOPE_SE * se {
            Phase::II
        } else {
            Phase::Flat
        })
    }
}

/// g of the first layer at one measured step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FirstLayerGradient {
    /// Updates made.
    pub step: u64,
    /// `rpd_gradient` of layer 1.
    pub gradient: Option<f64>,
    /// `rpd_gradient_se` of layer 1.
    pub se: Option<f64>,
}

/// Step of the maximum of g_1 over the measured steps (in increasing order; the first of equal
/// ones), where mixing sets in. `None` unless that maximum exceeds the last value by 2 se, se
/// = sqrt(se_max² + se_last²) [O: which se].
pub fn onset_mixed_step(measured: &[FirstLayerGradient]) -> Option<u64> {
    let known = |point: &FirstLayerGradient| Some((point.step, point.gradient?, point.se?));
    let (_, last, last_se) = known(measured.last()?)?;
    let mut highest: Option<(u64, f64, f64)> = None;
    for point in measured.iter().filter_map(known) {
        if highest.is_none_or(|(_, gradient, _)| point.1 > gradient) {
            highest = Some(point);
        }
    }
    let (step, gradient, se) = highest?;
    (gradient - last > SLOPE_SE * se.hypot(last_se)).then_some(step)
}

/// One row of `history`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccuracyPoint {
    /// Updates made.
    pub step: u64,
    /// Accuracy on the train rows, 0…1.
    pub train_accuracy: Option<f64>,
    /// Accuracy on the test rows, 0…1.
    pub test_accuracy: Option<f64>,
}

/// First step (of increasing ones) with train accuracy >= 0.99.
pub fn train_fit_step(history: &[AccuracyPoint]) -> Option<u64> {
    first_step(history, |point| point.train_accuracy, TRAIN_FIT_ACCURACY)
}

/// First step with test accuracy >= 0.95·final, final being the last row's. `None` if final <
/// b + 5 se of the test rows.
pub fn test_fit_step(history: &[AccuracyPoint], test_baseline: Baseline) -> Option<u64> {
    let last = history.last()?.test_accuracy.filter(|last| *last >= test_baseline.threshold())?;
    first_step(history, |point| point.test_accuracy, TEST_FIT_SHARE * last)
}

/// `test_fit_step` − `train_fit_step`, in steps; negative where the test set is fitted first.
pub fn grokking_delay(history: &[AccuracyPoint], test_baseline: Baseline) -> Option<i64> {
    let (test, train) = (test_fit_step(history, test_baseline)?, train_fit_step(history)?);
    Some(test as i64 - train as i64)
}

fn first_step(
    history: &[AccuracyPoint],
    accuracy: impl Fn(&AccuracyPoint) -> Option<f64>,
    at_least: f64,
) -> Option<u64> {
    history
        .iter()
        .find(|point| accuracy(point).is_some_and(|value| value >= at_least))
        .map(|point| point.step)
}

#[cfg(test)]
#[path = "phase_tests.rs"]
mod tests;
