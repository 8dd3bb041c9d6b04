//! Differences at equal seeds, worked by hand.

use super::fixture::{Fixture, trial_ids};
use phasegrid_analyze::{
    Against, AnalyzeError, Cell, CellState, Level, PhaseDiagram, PhaseRequest, heat_map, phase,
};
use polars::prelude::*;

/// Widths 8, 16 and 32 of three seeds. Accuracy is `seed / 10` plus a gain of the width: 0, 0.1,
/// and 0.3, 0.4, 0.2. Seed 2 diverged at width 16.
fn widths() -> Fixture {
    let fixture = Fixture::new();
    let frame = df!(
        "trial_id" => trial_ids(9), "depth" => [1_i64; 9],
        "width" => [8_i64, 8, 8, 16, 16, 16, 32, 32, 32],
        "seed" => [0_i64, 1, 2, 0, 1, 2, 0, 1, 2],
        "status" => ["ok", "ok", "ok", "ok", "ok", "diverged", "ok", "ok", "ok"],
        "test_accuracy" => [
            Some(0.0), Some(0.1), Some(0.2), Some(0.1), Some(0.2), None, Some(0.3), Some(0.5), Some(0.4),
        ],
        "phase" => ["I"; 9],
    );
    fixture.shard("trials", "s", 0, frame.unwrap());
    fixture
}

fn diagram(against: &str, request: PhaseRequest) -> Result<PhaseDiagram, AnalyzeError> {
    let against: Against = against.parse().unwrap();
    phase(&widths().open(), &PhaseRequest { against: Some(against), ..request })
}

fn by_width() -> PhaseRequest {
    PhaseRequest::new("width", "depth", "test_accuracy")
}

fn close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 1e-9)
}

#[test]
fn differences_are_of_the_same_seed() {
    let found = diagram("width=8", by_width()).unwrap();
    assert_eq!(found.x.levels, [Level::Integer(16), Level::Integer(32)]);
    let [narrow, wide]: &[Cell; 2] = found.cells.as_slice().try_into().unwrap();
    // 0.1 and 0.1: the seeds' own spread has gone.
    assert!(close(narrow.value, 0.1) && close(narrow.summary.std, 0.0));
    assert_eq!((narrow.n, narrow.n_ok, narrow.n_diverged), (3, 2, 1));
    // 0.3, 0.4, 0.2: mean 0.3, sd 0.1, t(2) = 4.302652730.
    assert!(close(wide.value, 0.3) && close(wide.summary.std, 0.1));
    assert!(close(wide.summary.ci_low, 0.3 - 4.302_652_730 * 0.1 / 3_f64.sqrt()));
    let svg = heat_map(&found);
    assert!(svg.contains("Δ test accuracy, against width = 8 (share)"), "{svg}");
    assert!(svg.contains("differences at equal seeds"));
    // 0.3 ± 0.248 leaves zero out, and so does 0.1 ± 0.
    assert!(!svg.contains("class=\"unresolved\""));
}

#[test]
fn the_value_before_may_be_the_reference() {
    let found = diagram("width=previous", by_width()).unwrap();
    let [first, second]: &[Cell; 2] = found.cells.as_slice().try_into().unwrap();
    assert!(close(first.value, 0.1));
    // Seeds 0 and 1: 0.2 and 0.3; the partner of seed 2 diverged, and so the pair did.
    assert!(close(second.value, 0.25));
    assert_eq!((second.n, second.n_ok, second.n_diverged, second.n_null), (3, 2, 1, 0));
    let svg = heat_map(&found);
    assert!(svg.contains("against the width before"));
    // 0.25 ± 12.7 * 0.05 includes zero.
    assert!(svg.contains("class=\"unresolved\"") && svg.contains("95 % interval includes 0"));
}

#[test]
fn beside_the_axes_one_value_may_be_left() {
    let request = || PhaseRequest::new("depth", "seed", "test_accuracy");
    let found = diagram("width=8", request()).unwrap_err();
    assert!(found.is_usage());
    assert!(
        found.to_string().starts_with("width has 2 values in the selection (16 32)"),
        "{found}"
    );
    let two = PhaseRequest { condition: Some("width <> 16".into()), ..request() };
    let found = diagram("width=8.0", two).unwrap();
    assert!(close(found.cells[0].value, 0.3) && close(found.cells[2].value, 0.2));
    assert!(found.cells.iter().all(|cell| cell.state == CellState::Value && cell.n == 1));
}

#[test]
fn bad_comparisons_say_what_is_wrong() {
    let fails = |against: &str, value: &str| {
        diagram(against, PhaseRequest::new("width", "depth", value)).unwrap_err().to_string()
    };
    assert_eq!(
        fails("width=9", "test_accuracy"),
        "--against width=9: width has the values 8 16 32 in the selection"
    );
    assert!(fails("seed=0", "test_accuracy").starts_with("--against seed: pairs the trials"));
    assert!(fails("widht=8", "test_accuracy").contains("did you mean width?"));
    assert!(fails("width=8", "phase").contains("names have no difference"));
    assert!(fails("depth=1", "test_accuracy").contains("has no other value than 1"));
    assert!("width".parse::<Against>().unwrap_err().contains("HYPERPARAMETER=VALUE"));
}
