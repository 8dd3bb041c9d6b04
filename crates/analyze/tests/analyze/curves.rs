//! Values against the training step, and rank distributions: worked by hand.

use super::fixture::{Fixture, trial_ids};
use phasegrid_analyze::{
    AnalyzeError, AxisScale, Curve, CurveLayer, CurveRequest, LayerPick, Level, RpdRequest, Stat,
    StepPick, curve, curve_figure, curve_table, rpd, rpd_figure, rpd_table, write_curve, write_rpd,
};
use polars::prelude::*;

/// Two layers, steps 0, 1 and 10, of trials `(activation, rate, seed, status)`. The value is
/// `seed + layer + step / 10`, and the density of bin `b` is `0.05 + 0.1 b + seed`.
fn sweep(trials: &[(&str, f64, i64, &str)]) -> Fixture {
    let fixture = Fixture::new();
    let ids = trial_ids(trials.len());
    let frame = df!(
        "trial_id" => &ids,
        "task" => vec!["digits"; trials.len()],
        "depth" => vec![2_i64; trials.len()],
        "activation" => trials.iter().map(|trial| trial.0).collect::<Vec<_>>(),
        "learning_rate" => trials.iter().map(|trial| trial.1).collect::<Vec<_>>(),
        "seed" => trials.iter().map(|trial| trial.2).collect::<Vec<_>>(),
        "status" => trials.iter().map(|trial| trial.3).collect::<Vec<_>>(),
        "sample_basin" => vec![1.0; trials.len()],
    );
    fixture.shard("trials", "s", 0, frame.unwrap());
    let mut rows: Vec<(usize, i64, i64)> = Vec::new();
    for number in 0..trials.len() {
        for step in [0, 1, 10] {
            rows.extend([1, 2].map(|layer| (number, step, layer)));
        }
    }
    let of = |value: &dyn Fn(usize, i64, i64) -> f64| {
        rows.iter().map(|(number, step, layer)| value(*number, *step, *layer)).collect::<Vec<_>>()
    };
    let seed = |number: usize| trials[number].2 as f64;
    let densities: Vec<Series> = rows
        .iter()
        .map(|(number, ..)| {
            let bins = (0..20).map(|bin| 0.05 + 0.1 * f64::from(bin) + seed(*number));
            Series::new("".into(), bins.collect::<Vec<_>>())
        })
        .collect();
    let frame = df!(
        "trial_id" => rows.iter().map(|row| ids[row.0].as_str()).collect::<Vec<_>>(),
        "depth" => vec![2_i64; rows.len()],
        "activation" => rows.iter().map(|row| trials[row.0].0).collect::<Vec<_>>(),
        "learning_rate" => of(&|number, _, _| trials[number].1),
        "seed" => rows.iter().map(|row| trials[row.0].2).collect::<Vec<_>>(),
        "step" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
        "layer" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
        "rpd_gradient" => of(&|number, step, layer| seed(number) + layer as f64 + step as f64 / 10.0),
        "rpd" => densities,
        "phase" => vec!["I"; rows.len()],
    );
    fixture.shard("layers", "s", 0, frame.unwrap());
    fixture
}

fn seeds() -> Fixture {
    sweep(&[
        ("relu", 0.1, 0, "ok"),
        ("relu", 0.1, 1, "ok"),
        ("relu", 0.1, 2, "ok"),
        ("relu", 0.1, 3, "diverged"),
    ])
}

fn rates() -> Fixture {
    sweep(&[
        ("relu", 10.0, 0, "diverged"),
        ("relu", 1.0, 0, "ok"),
        ("relu", 0.1, 0, "ok"),
        ("relu", 0.1, 1, "ok"),
    ])
}

fn request(value: &str) -> CurveRequest {
    CurveRequest { value: value.into(), ..Default::default() }
}

fn error(fixture: &Fixture, request: CurveRequest) -> AnalyzeError {
    curve(&fixture.open(), &request).unwrap_err()
}

fn means(curve: &Curve, line: usize) -> Vec<f64> {
    curve.lines[line].points.iter().map(|point| point.summary.mean.unwrap()).collect()
}

#[test]
fn one_line_a_layer_with_an_interval_over_seeds() {
    let found = curve(&seeds().open(), &request("rpd_gradient")).unwrap();
    assert_eq!(
        found.lines.iter().map(|line| line.level.clone()).collect::<Vec<_>>(),
        [Level::Integer(1), Level::Integer(2)]
    );
    // Seeds 0, 1, 2: mean 1, sd 1, half-width t(2) / sqrt(3). The diverged trial is left out.
    assert!(
        means(&found, 0).iter().zip([2.0, 2.1, 3.0]).all(|(one, two)| (one - two).abs() < 1e-12)
    );
    assert!(
        means(&found, 1).iter().zip([3.0, 3.1, 4.0]).all(|(one, two)| (one - two).abs() < 1e-12)
    );
    let point = &found.lines[0].points[2];
    assert_eq!((point.step, point.n, point.n_null), (10, 3, 0));
    assert!((point.summary.std.unwrap() - 1.0).abs() < 1e-12);
    let half = 4.302_652_730 / 3_f64.sqrt();
    assert!((point.summary.ci_low.unwrap() - (3.0 - half)).abs() < 1e-8);
    assert_eq!((found.outcomes.n, found.outcomes.n_ok, found.outcomes.n_diverged), (4, 3, 1));
}

#[test]
fn a_layer_or_the_mean_over_layers_can_be_picked() {
    let store = seeds();
    let with = |layer| {
        let layer = Some(CurveLayer::One(layer));
        curve(&store.open(), &CurveRequest { layer, ..request("rpd_gradient") }).unwrap()
    };
    assert_eq!(means(&with(LayerPick::First), 0)[0], 2.0);
    assert_eq!(means(&with(LayerPick::Last), 0)[0], 3.0);
    assert_eq!(means(&with(LayerPick::Number(2)), 0)[0], 3.0);
    let mean = with(LayerPick::Mean);
    assert_eq!((means(&mean, 0)[0], mean.lines[0].points[0].n), (2.5, 3));
    assert_eq!("all".parse(), Ok(CurveLayer::All));
    assert!("none".parse::<CurveLayer>().unwrap_err().contains("all, first, last, mean"));
}

#[test]
fn groups_are_ordered_and_those_that_diverged_have_no_line() {
    let by = CurveRequest { by: Some("learning_rate".into()), ..request("rpd_gradient") };
    let found = curve(&rates().open(), &by).unwrap();
    assert_eq!(
        found.lines.iter().map(|line| line.level.clone()).collect::<Vec<_>>(),
        [Level::Float(0.1), Level::Float(1.0)]
    );
    // The mean over layers goes without saying; one seed has no interval.
    assert_eq!((means(&found, 0)[0], means(&found, 1)[0]), (2.0, 1.5));
    assert_eq!(found.lines[1].points[0].summary.ci_low, None);
    assert_eq!((found.place.as_str(), found.outcomes.n_diverged), ("mean over layers", 1));
}

#[test]
fn what_varies_must_have_a_place() {
    let store = rates();
    let found = error(&store, request("rpd_gradient"));
    assert!(found.is_usage());
    assert_eq!(
        found.to_string(),
        "learning_rate has 3 values in the selection (0.1 1 10): make it --by or --facet, fix it with --where, or average over it with --over learning_rate"
    );
    let over = CurveRequest { over: vec!["learning_rate".into()], ..request("rpd_gradient") };
    assert_eq!(curve(&store.open(), &over).unwrap().lines[0].points[0].n, 3);
    let fixed =
        CurveRequest { condition: Some("learning_rate = 1".into()), ..request("rpd_gradient") };
    assert_eq!(curve(&store.open(), &fixed).unwrap().lines[0].points[0].n, 1);
}

#[test]
fn bad_curves_say_what_is_wrong() {
    let store = seeds();
    let with = |request| error(&store, request).to_string();
    assert!(with(request("rpd_gradeint")).contains("did you mean rpd_gradient?"));
    assert!(with(request("sample_basin")).contains("one value a trial, not one a step"));
    assert!(with(request("phase")).contains("which has no mean"));
    let layer = Some(CurveLayer::All);
    assert!(with(CurveRequest { layer, ..request("sample_basin") }).ends_with("leave --layer out"));
    let both = CurveRequest {
        by: Some("activation".into()),
        layer: Some(CurveLayer::All),
        ..request("rpd_gradient")
    };
    assert!(with(both).starts_with("--layer all: "));
    let unknown = CurveRequest { by: Some("layers".into()), ..request("rpd_gradient") };
    assert!(with(unknown).starts_with("--by layers: is no hyperparameter"));
    let diverged =
        CurveRequest { condition: Some("status = 'diverged'".into()), ..request("rpd_gradient") };
    assert_eq!(
        with(diverged),
        "--value rpd_gradient: is null throughout the selection (0 trials, 1 diverged and left out)"
    );
}

#[test]
fn a_curve_is_drawn_with_zero_bands_legend_and_caption() {
    let found = curve(&seeds().open(), &request("rpd_gradient")).unwrap();
    let svg = curve_figure(&found);
    for text in [
        ">0</text>",
        ">10</text>",
        ">step</text>",
        ">layer</text>",
        "RPD gradient",
        "n = 3 a point",
        "3 trials, 1 diverged and left out",
        "95 % t-interval",
        "step 10: 3 [0.516, 5.48]; n 3",
    ] {
        assert!(svg.contains(text), "{text}\n{svg}");
    }
    assert_eq!(svg.matches("fill-opacity").count(), 2, "one band a layer");
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
    let folder = tempfile::tempdir().unwrap();
    for extension in ["svg", "png", "pdf", "csv", "parquet"] {
        let path = folder.path().join(format!("curve.{extension}"));
        write_curve(&found, &path).unwrap();
        assert!(path.metadata().unwrap().len() > 0);
    }
    let table = curve_table(&found).unwrap();
    let names: Vec<&str> = table.get_column_names().iter().map(|name| name.as_str()).collect();
    assert_eq!(names, ["layer", "step", "n", "n_null", "mean", "std", "ci_low", "ci_high"]);
    assert_eq!(table.height(), 6);
}

#[test]
fn panels_are_a_hyperparameter_or_the_layers() {
    let store = rates();
    let panels = |request: CurveRequest| {
        let found = curve(&store.open(), &request).unwrap();
        let names: Vec<(Level, Level)> =
            found.lines.iter().map(|line| (line.facet.clone(), line.level.clone())).collect();
        (names, curve_figure(&found), curve_table(&found).unwrap())
    };
    let rate = Some("learning_rate".to_owned());
    let (names, svg, table) =
        panels(CurveRequest { facet: rate.clone(), ..request("rpd_gradient") });
    let layers = |rate: f64| [1, 2].map(|layer| (Level::Float(rate), Level::Integer(layer)));
    assert_eq!(names, [layers(0.1), layers(1.0)].concat());
    assert_eq!(svg.matches("class=\"panel\"").count(), 2);
    assert!(svg.contains("learning rate = 0.1") && svg.contains(">layer<"));
    assert_eq!(table.get_column_names()[..3], ["learning_rate", "layer", "step"]);

    let facet = Some("layer".to_owned());
    let (names, svg, _) = panels(CurveRequest { facet, by: rate, ..request("rpd_gradient") });
    let rates = |layer: i64| [0.1, 1.0].map(|rate| (Level::Integer(layer), Level::Float(rate)));
    assert_eq!(names, [rates(1), rates(2)].concat());
    assert!(svg.contains(">layer 1<") && svg.contains(">learning rate<"));
    // No place is left, so that none is offered.
    let both = CurveRequest {
        by: Some("activation".into()),
        facet: Some("depth".into()),
        ..request("rpd_gradient")
    };
    assert!(error(&store, both).to_string().contains("(0.1 1 10): fix it with --where"));
}

#[test]
fn the_median_has_quartiles_for_a_band_and_the_deviation_none() {
    let of = |stat| {
        let stat = Some(stat);
        curve(&seeds().open(), &CurveRequest { stat, ..request("rpd_gradient") }).unwrap()
    };
    // Seeds 0, 1, 2 of layer 1 at step 10: values 2, 3, 4.
    let median = of(Stat::Median);
    let point = &median.lines[0].points[2];
    assert_eq!(
        (point.value(Stat::Median), point.band(Stat::Median)),
        (Some(3.0), Some((2.5, 3.5)))
    );
    let svg = curve_figure(&median);
    assert!(svg.contains("median RPD gradient") && svg.contains("band: quartiles"));
    let table = curve_table(&median).unwrap();
    assert_eq!(table.get_column_names()[8..], ["median", "q25", "q75"]);
    let deviation = of(Stat::Std);
    let point = &deviation.lines[0].points[2];
    assert!((point.value(Stat::Std).unwrap() - 1.0).abs() < 1e-12);
    let svg = curve_figure(&deviation);
    assert!(svg.contains("sd of RPD gradient") && !svg.contains("fill-opacity"));
}

#[test]
fn scales_can_be_asked_for_as_far_as_the_values_allow() {
    let store = seeds();
    let with = |y_scale| CurveRequest { y_scale, ..request("rpd_gradient") };
    let log = curve_figure(&curve(&store.open(), &with(AxisScale::Log)).unwrap());
    let linear = curve_figure(&curve(&store.open(), &with(AxisScale::Linear)).unwrap());
    assert_ne!(log, linear);
    let zero = CurveRequest { y_scale: AxisScale::Log, ..request("seed") };
    assert_eq!(
        error(&sweep(&[("relu", 0.1, 0, "ok")]), zero).to_string(),
        "--y-scale log: the mean of seed is 0 at step 0, which has no logarithm"
    );
    assert!("square".parse::<AxisScale>().unwrap_err().contains("auto, linear or log"));
}

fn controlled() -> Fixture {
    sweep(&[
        ("relu", 0.1, 0, "ok"),
        ("relu", 0.1, 2, "ok"),
        ("relu", 1.0, 0, "ok"),
        ("identity", 0.1, 0, "ok"),
        ("identity", 0.1, 2, "diverged"),
        ("identity", 1.0, 9, "ok"),
    ])
}

#[test]
fn rank_distributions_are_averaged_and_controlled() {
    let condition = Some("learning_rate = 0.1".to_owned());
    let request = RpdRequest { condition, ..Default::default() };
    let found = rpd(&controlled().open(), &request).unwrap();
    assert_eq!(found.layers.iter().map(|layer| layer.layer).collect::<Vec<_>>(), [1, 2]);
    let first = &found.layers[0];
    assert_eq!((first.n, first.density.len()), (2, 20));
    // Seeds 0 and 2: the mean is 1 above that of seed 0; g at the last step is seed + 1 + 1.
    assert!((first.density[3].mean.unwrap() - 1.35).abs() < 1e-12);
    assert_eq!(first.gradient.mean, Some(3.0));
    // The control has the same learning rate and seeds, and did not diverge: seed 0 alone.
    assert_eq!(found.control.len(), 2);
    assert_eq!(found.control[0].n, 1);
    assert!((found.control[0].density[3].mean.unwrap() - 0.35).abs() < 1e-12);
    assert_eq!(found.activation, "relu");
}

#[test]
fn a_linear_selection_is_its_own_control() {
    let condition = Some("activation = 'identity' AND learning_rate = 0.1".to_owned());
    let request = RpdRequest { condition, ..Default::default() };
    let found = rpd(&controlled().open(), &request).unwrap();
    assert_eq!((found.activation.as_str(), found.control.len()), ("identity", 0));
    assert_eq!(found.outcomes.n_diverged, 1);
}

#[test]
fn one_trial_and_one_step_can_be_picked() {
    let fixture = controlled();
    let trial = Some(trial_ids(3)[1].clone());
    let step = Some(StepPick::Number(1));
    let found = rpd(&fixture.open(), &RpdRequest { trial, step, ..Default::default() }).unwrap();
    assert_eq!((found.layers[0].n, found.layers[0].gradient.mean), (1, Some(3.1)));
    // Its control has seed 2, and diverged.
    assert!(found.control.is_empty());
    let fails = |request: RpdRequest| rpd(&fixture.open(), &request).unwrap_err().to_string();
    let condition = Some("learning_rate = 0.1".to_owned());
    let step = Some(StepPick::Number(7));
    assert_eq!(
        fails(RpdRequest { condition, step, ..Default::default() }),
        "--step 7: the sweep was measured at steps 0 1 10"
    );
    assert!(fails(RpdRequest::default()).starts_with("learning_rate has 2 values"));
    let trial = Some("fff".to_owned());
    assert!(fails(RpdRequest { trial, ..Default::default() }).contains("no trial fff"));
}

#[test]
fn rank_distributions_are_drawn_with_the_flat_line_and_the_control() {
    let condition = Some("learning_rate = 0.1".to_owned());
    let request = RpdRequest { condition, ..Default::default() };
    let found = rpd(&controlled().open(), &request).unwrap();
    let svg = rpd_figure(&found);
    for text in ["layer 1, g = 3", "layer 2, g = 4", ">flat<", ">linear network<", ">relu<"] {
        assert!(svg.contains(text), "{text}");
    }
    // Two panels and the legend.
    assert_eq!(svg.matches("stroke-dasharray").count(), 3);
    let table = rpd_table(&found).unwrap();
    assert_eq!(table.height(), 80);
    let folder = tempfile::tempdir().unwrap();
    for extension in ["png", "csv"] {
        write_rpd(&found, &folder.path().join(format!("rpd.{extension}"))).unwrap();
    }
}

#[test]
fn rank_distributions_have_a_line_a_step_or_a_value() {
    let fixture = controlled();
    let with = |by: &str, condition: &str| {
        let (by, condition) = (Some(by.to_owned()), Some(condition.to_owned()));
        rpd(&fixture.open(), &RpdRequest { by, condition, ..Default::default() })
    };
    let levels = |by, condition| {
        let found = with(by, condition).unwrap();
        let levels: Vec<(i64, String)> =
            found.layers.iter().map(|layer| (layer.layer, layer.level.to_string())).collect();
        (found, levels)
    };
    let expected = |names: &[&str]| {
        let of = |layer| names.iter().map(move |name| (layer, (*name).to_owned()));
        of(1).chain(of(2)).collect::<Vec<_>>()
    };
    let (found, steps) = levels("step", "learning_rate = 0.1");
    assert_eq!(steps, expected(&["0", "1", "10"]));
    // Seeds 0 and 2 of layer 1 at step 1: g = seed + 1 + 0.1.
    assert!((found.layers[1].gradient.mean.unwrap() - 2.1).abs() < 1e-12);
    assert!(found.control.is_empty() && found.place.is_empty());
    let svg = rpd_figure(&found);
    assert!(svg.contains(">layer 1<") && svg.contains(">step<") && svg.contains(">flat<"));
    assert_eq!(rpd_table(&found).unwrap().get_column_names()[..3], ["control", "layer", "step"]);
    let (_, rates) = levels("learning_rate", "activation = 'relu'");
    assert_eq!(rates, expected(&["0.1", "1"]));
    let (found, activations) = levels("activation", "learning_rate = 0.1");
    assert_eq!(activations, expected(&["identity", "relu"]));
    assert_eq!(found.layers[0].n, 1);
    let picked = RpdRequest {
        by: Some("step".into()),
        step: Some(StepPick::Last),
        condition: Some("learning_rate = 0.1".into()),
        ..Default::default()
    };
    let refused = rpd(&fixture.open(), &picked).unwrap_err().to_string();
    assert!(refused.starts_with("--step last: --by step draws a line for each"), "{refused}");
}

#[test]
fn a_sweep_without_layers_says_what_brings_them_about() {
    let fixture = Fixture::new();
    fixture.shard("trials", "s", 0, df!("trial_id" => trial_ids(1), "status" => ["ok"]).unwrap());
    let found = rpd(&fixture.open(), &RpdRequest::default()).unwrap_err();
    assert!(found.is_usage());
    assert!(found.to_string().starts_with("sweep s has no table layers: "), "{found}");
}
