//! Figures and exports of whole diagrams: structure of the SVG, files that read back.

use super::fixture::{Fixture, trial_ids};
use super::synthetic::Synthetic;
use phasegrid_analyze::{
    CellState, PhaseDiagram, PhaseRequest, cells_table, default_figures, heat_map, phase,
    write_diagram,
};
use polars::prelude::*;

fn sweep(missing: usize) -> Fixture {
    let fixture = Fixture::new();
    let sweep = Synthetic { depths: vec![1, 4], widths: vec![8, 16, 32], rates: 10, seeds: 3 };
    sweep.write(&fixture, "width-lr", missing);
    fixture
}

fn request(value: &str) -> PhaseRequest {
    PhaseRequest {
        facet: Some("depth".into()),
        ..PhaseRequest::new("learning_rate", "width", value)
    }
}

fn diagram(missing: usize, request: &PhaseRequest) -> PhaseDiagram {
    phase(&sweep(missing).open(), request).unwrap()
}

#[test]
fn a_figure_names_its_axes_facets_value_and_ticks() {
    let svg = heat_map(&diagram(2, &request("test_accuracy")));
    for text in [
        "learning rate",
        "width",
        "depth = 1",
        "depth = 4",
        "test accuracy",
        "10⁻³",
        "10⁰",
        ">32<",
        "sweep width-lr",
        "mean over seeds",
        "n = 3 trials a cell",
        "not yet run",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
    assert_eq!(svg.matches("class=\"panel\"").count(), 2);
    // One rectangle a cell, each with its tooltip.
    assert_eq!(svg.matches("</title></rect>").count(), 60);
}

#[test]
fn hatching_is_there_exactly_when_a_cell_lacks_trials() {
    let full = diagram(0, &request("test_accuracy"));
    let partial = |diagram: &PhaseDiagram| {
        diagram.cells.iter().any(|cell| cell.state == CellState::Value && cell.n_ok < cell.n)
    };
    assert!(partial(&full));
    assert!(heat_map(&full).contains("hatch-partial"));
    let clean =
        PhaseRequest { condition: Some("learning_rate < 0.05".into()), ..request("test_accuracy") };
    let clean = diagram(0, &clean);
    assert!(!partial(&clean));
    let svg = heat_map(&clean);
    assert!(!svg.contains("hatch-") && !svg.contains("class=\"legend\""));
}

#[test]
fn categories_have_a_list_instead_of_a_bar() {
    let svg = heat_map(&diagram(0, &request("phase")));
    assert!(svg.contains("class=\"categories\"") && !svg.contains("class=\"colour-bar\""));
    assert!(svg.contains(">untrained<") && svg.contains(">diverged<"));
}

#[test]
fn exports_have_one_row_a_cell_and_read_back() {
    let fixture = sweep(2);
    let diagram = phase(&fixture.open(), &request("test_accuracy")).unwrap();
    let table = cells_table(&diagram).unwrap();
    let names: Vec<&str> = table.columns().iter().map(|column| column.name().as_str()).collect();
    assert_eq!(
        names,
        [
            "depth",
            "learning_rate",
            "width",
            "value",
            "stat",
            "n",
            "n_ok",
            "n_diverged",
            "n_null",
            "n_censored",
            "mean",
            "std",
            "median",
            "q25",
            "q75",
            "ci_low",
            "ci_high"
        ]
    );
    assert_eq!(table.height(), 60);
    let (csv, parquet) = (fixture.file("cells.csv"), fixture.file("cells.parquet"));
    write_diagram(&diagram, &csv).unwrap();
    write_diagram(&diagram, &parquet).unwrap();
    let path = PlRefPath::try_from_path(&parquet).unwrap();
    let read =
        LazyFrame::scan_parquet(path, ScanArgsParquet::default()).unwrap().collect().unwrap();
    assert!(read.equals_missing(&table));
    let text = std::fs::read_to_string(&csv).unwrap();
    assert_eq!(text.lines().count(), 61);
    assert!(text.lines().next().unwrap().starts_with("depth,learning_rate,width,value,stat,n,"));
}

#[test]
fn pictures_are_what_their_extension_says() {
    let fixture = sweep(0);
    let diagram = phase(&fixture.open(), &request("rpd_gradient")).unwrap();
    let written = |name: &str| {
        let path = fixture.file(name);
        write_diagram(&diagram, &path).unwrap();
        std::fs::read(path).unwrap()
    };
    let picture = resvg::tiny_skia::Pixmap::decode_png(&written("a.png")).unwrap();
    assert!(picture.width() > 1000 && picture.height() > 400);
    assert!(picture.pixels().iter().any(|pixel| pixel.red() != pixel.blue()));
    assert!(written("a.pdf").starts_with(b"%PDF-"));
    assert!(written("a.svg").starts_with(b"<svg "));
    let error = write_diagram(&diagram, &fixture.file("a.jpeg")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the extension must be one of .svg, .png, .pdf, .csv or .parquet")
    );
}

#[test]
fn a_picture_has_no_alpha_and_says_its_resolution() {
    let fixture = sweep(0);
    let diagram = phase(&fixture.open(), &request("test_accuracy")).unwrap();
    let path = fixture.file("a.png");
    write_diagram(&diagram, &path).unwrap();
    let bytes = std::fs::read(path).unwrap();
    assert_eq!((bytes[24], bytes[25]), (8, 2), "eight bits, truecolour");
    // 300 dots per inch are 11,811 a metre.
    let density = [b"pHYs".as_slice(), &11_811_u32.to_be_bytes()].concat();
    assert!(bytes.windows(density.len()).any(|window| window == density));
}

/// Depths 1 and 2 at width 8, two seeds each: one null, and phases that differ.
fn divided() -> Fixture {
    let fixture = Fixture::new();
    let frame = df!(
        "trial_id" => trial_ids(4), "depth" => [1_i64, 1, 2, 2], "width" => [8_i64; 4],
        "seed" => [0_i64, 1, 0, 1], "status" => ["ok"; 4],
        "onset_mixed_step" => [Some(10_i64), None, Some(30), Some(50)],
        "phase" => ["I", "II", "flat", "flat"],
    );
    fixture.shard("trials", "s", 0, frame.unwrap());
    fixture
}

#[test]
fn cells_say_when_their_trials_disagree_or_some_have_no_value() {
    let fixture = divided();
    let store = fixture.open();
    let draw = |value: &str| {
        heat_map(&phase(&store, &PhaseRequest::new("width", "depth", value)).unwrap())
    };
    let onset = draw("onset_mixed_step");
    assert!(onset.contains("onset of the mixed phase (steps)"));
    assert!(onset.contains("class=\"some\"") && onset.contains("undefined or censored in some"));
    assert!(onset.contains("n 2, ok 2, diverged 0, null 1<"));
    let phases = draw("phase");
    assert!(
        phases.contains("class=\"hatch-tied\"") && phases.contains("tie for the most frequent")
    );
    // The name stands in its cell too.
    assert_eq!(phases.matches(">flat<").count(), 2);
}

/// One trial whose only value is this.
fn lonely(value: Option<f64>) -> PhaseDiagram {
    let fixture = Fixture::new();
    let frame = df!(
        "trial_id" => trial_ids(1), "activation" => ["relu"], "batch_norm" => [true], "seed" => [0_i64],
        "status" => ["ok"], "test_accuracy" => [value],
    );
    fixture.shard("trials", "s", 0, frame.unwrap());
    phase(&fixture.open(), &PhaseRequest::new("activation", "batch_norm", "test_accuracy")).unwrap()
}

#[test]
fn degenerate_diagrams_are_drawn() {
    let constant = heat_map(&lonely(Some(0.25)));
    assert!(
        constant.contains(">0.25<") && constant.contains(">relu<") && constant.contains(">true<")
    );
    let nothing = heat_map(&lonely(None));
    assert!(nothing.contains("value undefined") && !nothing.contains("colour-bar"));
    assert!(!constant.contains("NaN") && !nothing.contains("NaN"));
}

#[test]
fn the_scaled_weight_basin_is_the_radius_times_root_depth_plus_one() {
    let plain = diagram(0, &request("weight_basin"));
    let scaled = diagram(0, &request("weight_basin_scaled"));
    assert!(heat_map(&scaled).contains("median weight basin · √(D+1)"));
    let pairs = plain
        .cells
        .iter()
        .zip(&scaled.cells)
        .filter_map(|(one, two)| Some((one, one.value?, two.value?)));
    for (cell, plain, scaled) in pairs {
        let depth: f64 = if cell.facet == 0 { 1.0 } else { 4.0 };
        assert!((scaled - plain * (depth + 1.0).sqrt()).abs() < 1e-12);
    }
}

#[test]
fn the_default_figures_of_a_sweep_can_all_be_drawn() {
    let fixture = sweep(0);
    let store = fixture.open();
    let figures = default_figures(&store, "width-lr").unwrap();
    let stems: Vec<&str> = figures.iter().map(|figure| figure.stem.as_str()).collect();
    assert_eq!(
        stems,
        [
            "test-accuracy",
            "phase",
            "opt-fraction",
            "rpd-gradient-layer-1",
            "lmap-accuracy-layer-1",
            "sample-basin",
            "weight-basin",
            "weight-basin-scaled"
        ]
    );
    for figure in figures {
        let diagram = phase(&store, &figure.request).unwrap();
        assert_eq!(
            (diagram.x.column.name.as_str(), diagram.y.column.name.as_str()),
            ("learning_rate", "width")
        );
        assert!(heat_map(&diagram).contains("depth = 4"));
    }
}
