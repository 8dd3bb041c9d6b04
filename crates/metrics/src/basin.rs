//! Rows of the table `basins`, and what both spaces have in common.

use crate::basin_solver::{Crossing, Family, Group, LARGEST, SMALLEST};

/// Where the noise is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// On the inputs.
    Sample,
    /// On the weights.
    Weight,
}

/// What a radius is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All initially correct rows; in weight space every layer at once.
    All,
    /// The absolute accuracy over the subset.
    AllAbs,
    /// The initially correct rows of that class.
    Class(usize),
    /// Noise on that layer alone, 1…D+1.
    Layer(usize),
    /// Noise scaled to each unit's weight vector.
    Filter,
    /// Each row's own radius, along rays.
    Sample,
}

impl Scope {
    /// The name in the table.
    pub fn name(self) -> String {
        match self {
            Scope::All => "all".into(),
            Scope::AllAbs => "all_abs".into(),
            Scope::Class(class) => format!("class:{class}"),
            Scope::Layer(layer) => format!("layer:{layer}"),
            Scope::Filter => "filter".into(),
            Scope::Sample => "sample".into(),
        }
    }
}

/// On which side of the grid 1e-3…10 the radius lies, where it lies outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Censored {
    /// Below 1e-3.
    Left,
    /// Above 10.
    Right,
}

/// One radius of one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct BasinRow {
    /// Position in the ensemble.
    pub trial: usize,
    /// Where the noise is.
    pub space: Space,
    /// What the radius is of.
    pub scope: Scope,
    /// The share at which the radius is, 0…1.
    pub threshold: f64,
    /// In input units (sample space) or standard deviations of a layer's weights (weight
    /// space); `None` where censored, or where nothing is correct to begin with.
    pub radius: Option<f64>,
    /// Standard error over rows (sample space) or draws (weight space); `None` where the
    /// share does not change around the radius.
    pub radius_se: Option<f64>,
    /// Censored: 0 or 10. Else, in weight space, the 16 % quantile of single-draw radii.
    pub lo: Option<f64>,
    /// Censored left: 1e-3. Else, in weight space, the 84 % quantile of single-draw radii.
    pub hi: Option<f64>,
    /// Where the radius lies off the grid.
    pub censored: Option<Censored>,
}

impl BasinRow {
    /// A row without a radius.
    pub(crate) fn null(trial: usize, space: Space, scope: Scope, threshold: f64) -> Self {
        BasinRow {
            trial,
            space,
            scope,
            threshold,
            radius: None,
            radius_se: None,
            lo: None,
            hi: None,
            censored: None,
        }
    }

    /// Fills in a crossing; `sampling_sd` is the standard error of the share at the radius.
    pub(crate) fn with(mut self, crossing: &Crossing, sampling_sd: impl Fn(&[u32]) -> f64) -> Self {
        match crossing {
            Crossing::Below => {
                (self.lo, self.hi) = (Some(0.0), Some(SMALLEST));
                self.censored = Some(Censored::Left);
            }
            Crossing::Above => {
                self.lo = Some(LARGEST);
                self.censored = Some(Censored::Right);
            }
            Crossing::At { radius, slope, correct } => {
                self.radius = Some(*radius);
                self.radius_se =
                    Some(sampling_sd(correct) / slope.abs()).filter(|se| se.is_finite());
            }
        }
        self
    }

    /// Fills in median and quartiles of sorted radii, infinite above the grid.
    pub(crate) fn with_quartiles(mut self, sorted: &[f64]) -> Self {
        [self.lo, self.radius, self.hi] = [0.25, 0.5, 0.75].map(|share| quantile(sorted, share));
        let median = sorted.get(sorted.len() / 2);
        if self.radius.is_none() && median.is_some() {
            self.censored = Some(Censored::Right);
        }
        if self.radius.is_some_and(|radius| radius < SMALLEST) {
            (self.radius, self.censored) = (None, Some(Censored::Left));
        }
        self
    }
}

/// theta0: 1/2 for four or more classes \[P\], (1 + 1/K)/2 for fewer \[O\].
pub fn headline_threshold(classes: i64) -> f64 {
    if classes >= 4 { 0.5 } else { (1.0 + 1.0 / classes as f64) / 2.0 }
}

/// Further thresholds of scope `all`. \[O\]
pub(crate) const FURTHER_THRESHOLDS: [f64; 2] = [0.7, 0.9];

/// A family of one group, with its error.
pub(crate) fn alone(blocks: Vec<usize>, threshold: f64) -> Family {
    Family { groups: vec![Group { blocks, threshold }], with_error: true, ranks: Vec::new() }
}

/// Standard error of the mean of `values` (ddof 1); NaN of fewer than two.
pub(crate) fn standard_error(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (count - 1.0) / count).sqrt()
}

/// The quantile of sorted values at `share` of the way, linear between neighbours; `None` where
/// a neighbour is infinite.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let [below, above] = quantile_ranks(sorted.len(), share)?.map(|rank| sorted[rank]);
    let position = share * (sorted.len() - 1) as f64;
    Some(below + (above - below) * position.fract()).filter(|value| value.is_finite())
}

/// The ranks between which a quantile lies; `None` of nothing.
pub(crate) fn quantile_ranks(count: usize, share: f64) -> Option<[usize; 2]> {
    let position = share * count.checked_sub(1)? as f64;
    Some([position.floor() as usize, position.ceil() as usize])
}
