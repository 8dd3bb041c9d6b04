//! The cuts of docs/metrics.md, section 5, one by one.

use super::*;

fn evidence<'a>(dead_fractions: &'a [Option<f64>], trend: LayerTrend) -> PhaseEvidence<'a> {
    PhaseEvidence {
        diverged: false,
        train_accuracy: 0.9,
        train_loss: 0.3,
        initial_train_loss: 2.3,
        baseline: Baseline { share: 0.1, rows: 1_000 },
        dead_fractions,
        trend,
    }
}

fn trend(slope: f64, slope_se: f64, spread: Option<f64>) -> LayerTrend {
    LayerTrend { slope: Some(slope), slope_se: Some(slope_se), spread }
}

#[test]
fn slope_is_the_change_from_the_first_layer_to_the_last() {
    let known = |values: &[f64]| values.iter().copied().map(Some).collect::<Vec<_>>();
    let line = LayerTrend::new(&known(&[1.0, 1.5, 2.0, 2.5]), &[]);
    assert!((line.slope.unwrap() - 1.5).abs() < 1e-12);
    assert_eq!(line.slope_se, None);
    // g = 1, 3, 2 against 0, 1/2, 1: slope = (−1/2·1 + 1/2·2)/(1/2) = 1, V = sqrt(2/3)/2.
    let bent = LayerTrend::new(&known(&[1.0, 3.0, 2.0]), &[]);
    assert!((bent.slope.unwrap() - 1.0).abs() < 1e-12);
    assert!((bent.spread.unwrap() - (2.0f64 / 3.0).sqrt() / 2.0).abs() < 1e-12);
}

#[test]
fn slope_se_is_the_spread_of_the_joint_resamples() {
    // Both layers move together: the slope is 1 in every resample, its error 0.
    let gradients = [Some(1.0), Some(2.0)];
    let together = [Some(vec![0.0, 1.0, 5.0]), Some(vec![1.0, 2.0, 6.0])];
    assert_eq!(LayerTrend::new(&gradients, &together).slope_se, Some(0.0));
    // Slopes −1 and 3: sd with ddof 0 is 2.
    let apart = [Some(vec![1.0, 0.0]), Some(vec![0.0, 3.0])];
    assert_eq!(LayerTrend::new(&gradients, &apart).slope_se, Some(2.0));
}

#[test]
fn one_layer_a_null_gradient_or_a_mean_not_positive_have_no_trend() {
    let nothing = LayerTrend { slope: None, slope_se: None, spread: None };
    assert_eq!(LayerTrend::new(&[Some(1.0)], &[Some(vec![1.0])]), nothing);
    assert_eq!(LayerTrend::new(&[Some(1.0), None], &[None, None]), nothing);
    assert_eq!(LayerTrend::new(&[], &[]), nothing);
    let negative = LayerTrend::new(&[Some(-1.0), Some(0.5)], &[]);
    assert_eq!((negative.slope, negative.spread), (Some(1.5), None));
}

#[test]
fn phases_are_told_in_order() {
    let alive = [Some(0.0); 6];
    let base = evidence(&alive, trend(-1.0, 0.1, Some(0.5)));
    assert_eq!(base.phase(), Some(Phase::I));
    assert_eq!(
        PhaseEvidence { trend: trend(1.0, 0.1, Some(0.5)), ..base }.phase(),
        Some(Phase::II)
    );
    assert_eq!(
        PhaseEvidence { trend: trend(0.2, 0.1, Some(0.5)), ..base }.phase(),
        Some(Phase::Flat)
    );
    let uniform = PhaseEvidence { trend: trend(-1.0, 0.1, Some(0.09)), ..base };
    assert_eq!(uniform.phase(), Some(Phase::III));
    assert_eq!(PhaseEvidence { dead_fractions: &alive[..5], ..uniform }.phase(), Some(Phase::I));
    // b + 5 se = 0.1 + 5 sqrt(0.09/1000) = 0.1474.
    let guessing = PhaseEvidence { train_accuracy: 0.147, ..uniform };
    assert_eq!(guessing.phase(), Some(Phase::Untrained));
    assert_eq!(PhaseEvidence { train_accuracy: 0.148, ..uniform }.phase(), Some(Phase::III));
    assert_eq!(PhaseEvidence { train_loss: 2.4, ..guessing }.phase(), Some(Phase::Collapsed));
    assert_eq!(PhaseEvidence { train_loss: 2.4, ..uniform }.phase(), Some(Phase::III));
    let dead = [Some(0.0), Some(0.91), None];
    assert_eq!(PhaseEvidence { dead_fractions: &dead, ..base }.phase(), Some(Phase::Collapsed));
    assert_eq!(PhaseEvidence { diverged: true, ..guessing }.phase(), Some(Phase::Diverged));
}

#[test]
fn one_layer_has_a_phase_only_where_training_failed() {
    let nothing = LayerTrend { slope: None, slope_se: None, spread: None };
    let one = evidence(&[Some(0.0)], nothing);
    assert_eq!(one.phase(), None);
    assert_eq!(PhaseEvidence { train_accuracy: 0.1, ..one }.phase(), Some(Phase::Untrained));
}

#[test]
fn onset_is_the_maximum_if_it_clearly_exceeds_the_end() {
    let point =
        |step, gradient, se| FirstLayerGradient { step, gradient: Some(gradient), se: Some(se) };
    let rise_and_fall =
        [point(0, 0.0, 0.03), point(10, 1.0, 0.03), point(20, 1.0, 0.03), point(30, 0.9, 0.04)];
    // 2·sqrt(0.03² + 0.04²) = 0.1: a fall of 0.1 is not more.
    assert_eq!(onset_mixed_step(&rise_and_fall), None);
    let mut deeper = rise_and_fall;
    deeper[3].gradient = Some(0.89);
    assert_eq!(onset_mixed_step(&deeper), Some(10));
    assert_eq!(onset_mixed_step(&rise_and_fall[..2]), None);
    deeper[3].gradient = None;
    assert_eq!(onset_mixed_step(&deeper), None);
    assert_eq!(onset_mixed_step(&[]), None);
}

#[test]
fn grokking_delay_is_test_fit_minus_train_fit() {
    let point = |step, train, test| AccuracyPoint {
        step,
        train_accuracy: Some(train),
        test_accuracy: Some(test),
    };
    let baseline = Baseline { share: 0.1, rows: 900 }; // b + 5 se = 0.15
    let grokking =
        [point(0, 0.1, 0.1), point(10, 0.99, 0.2), point(100, 1.0, 0.76), point(200, 1.0, 0.8)];
    assert_eq!(train_fit_step(&grokking), Some(10));
    assert_eq!(test_fit_step(&grokking, baseline), Some(100));
    assert_eq!(grokking_delay(&grokking, baseline), Some(90));
    let test_first = [point(0, 0.1, 0.5), point(10, 0.99, 0.5)];
    assert_eq!(grokking_delay(&test_first, baseline), Some(-10));
    let guessing = [point(0, 0.1, 0.1), point(10, 1.0, 0.149)];
    assert_eq!(test_fit_step(&guessing, baseline), None);
    assert_eq!(grokking_delay(&guessing, baseline), None);
    assert_eq!(train_fit_step(&[point(0, 0.98, 0.5)]), None);
}
