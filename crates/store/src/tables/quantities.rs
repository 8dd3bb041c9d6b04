//! Every measured quantity, section by section of `docs/metrics.md`.

mod basins;
mod curvature;
mod lmap;
mod order;
mod phase;
mod training;

pub(super) use basins::{BASINS, SAMPLE_BASIN, WEIGHT_BASIN};
pub(super) use curvature::{CURVATURE, KERNEL};
pub(super) use lmap::LMAP;
pub(super) use order::ORDER;
pub(super) use phase::PHASE;
pub(super) use training::TRAINING;

use super::quantity::Section;

/// All sections, in the order of their columns.
pub(super) const SECTIONS: &[&Section] =
    &[&TRAINING, &ORDER, &PHASE, &LMAP, &SAMPLE_BASIN, &WEIGHT_BASIN, &BASINS, &CURVATURE, &KERNEL];
