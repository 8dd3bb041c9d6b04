//! The metrics there are. A new one is a module and a line in [`REGISTRY`].

use crate::curvature::Curvature;
use crate::kernel::Kernel;
use crate::lmap::LinearMap;
use crate::metric::Metric;
use crate::order::Order;
use crate::sample_basin::SampleBasin;
use crate::weight_basin::WeightBasin;

/// Every metric, in the order in which they are measured.
pub const REGISTRY: &[&dyn Metric] =
    &[&Order, &LinearMap, &SampleBasin, &WeightBasin, &Curvature, &Kernel];

/// The metric of that name.
pub fn metric(name: &str) -> Option<&'static dyn Metric> {
    REGISTRY.iter().copied().find(|metric| metric.name() == name)
}
