//! Every metric fills exactly the columns it names.

use crate::support::{Case, balanced, normal, random_networks};
use phasegrid_metrics::{REGISTRY, metric};
use phasegrid_spec::Activation;
use std::collections::BTreeSet;
use tch::Kind;

#[test]
fn metrics_fill_the_columns_they_name_for_every_trial_and_layer() {
    let network = random_networks(1, 2, &[4, 5, 5, 3], Activation::Relu, false, Kind::Float);
    let case = Case::new(network, normal(2, &[30, 4], Kind::Float), &balanced(30, 3), 3);
    let mut seen = BTreeSet::new();
    for metric in REGISTRY {
        let output = case.measure(metric.name());
        let names: Vec<&str> = output.layers.columns.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, metric.columns());
        let names: Vec<&str> = output.trials.columns.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, metric.trial_columns());
        assert!(output.trials.columns.iter().all(|(_, values)| values.len() == 2));
        for (name, values) in &output.layers.columns {
            assert!(seen.insert(*name), "{name} twice");
            assert_eq!(values.len(), 2);
            assert!(values.iter().all(|layers| layers.len() == 2));
        }
    }
}

#[test]
fn metrics_are_found_by_name() {
    assert_eq!(metric("order").map(|metric| metric.name()), Some("order"));
    assert_eq!(metric("lmap").map(|metric| metric.name()), Some("lmap"));
    assert!(metric("no such metric").is_none());
}
