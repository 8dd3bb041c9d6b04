//! Ranks and resamples against their definitions, sample by sample.

use super::*;
use phasegrid_tasks::stream::Stream;

/// Fields on few levels (many ties), labels with an empty class, signs of all three values.
fn random_case(seed: u64, rows: usize, units: usize) -> (Vec<f32>, Signs, Classes) {
    let mut stream = Stream::new(seed, "test", &[]);
    let fields = (0..rows * units).map(|_| stream.below(rows / 2 + 1) as f32 - 3.0).collect();
    let labels = (0..rows).map(|_| [0, 1, 3][stream.below(3)]).collect();
    let signs = (0..4).map(|_| (0..units).map(|_| stream.below(3) as i8 - 1).collect()).collect();
    (fields, signs, Classes::new(labels, 4, seed))
}

/// Mean over units and class-k samples of u of the signed fields, by sorting signed fields of
/// rows repeated as often as `counts` says.
fn gradient_of_repeated_rows(
    fields: &[f32],
    signs: &Signs,
    classes: &Classes,
    counts: &[usize],
    class: usize,
) -> Option<f64> {
    let rows = classes.rows();
    let repeated: Vec<usize> =
        (0..rows).flat_map(|row| std::iter::repeat_n(row, counts[row])).collect();
    let (mut total, mut terms) = (0.0, 0.0);
    for (unit, fields) in fields.chunks(rows).enumerate() {
        let signed: Vec<f32> =
            repeated.iter().map(|&row| f32::from(signs[class][unit]) * fields[row]).collect();
        for (own, _) in
            repeated.iter().enumerate().filter(|(_, row)| classes.labels[**row] == class as u32)
        {
            let below = signed.iter().filter(|&&other| other < signed[own]).count() as f64;
            let tied = signed.iter().filter(|&&other| other == signed[own]).count() as f64;
            total += (below + (tied + 1.0) / 2.0 - 0.5) / signed.len() as f64;
            terms += 1.0;
        }
    }
    (terms > 0.0).then(|| 12.0 * (total / terms - 0.5))
}

#[test]
fn resampled_gradients_are_those_of_the_repeated_rows() {
    for (seed, rows, units) in [(1, 40, 5), (2, 17, 3), (3, 3, 2)] {
        let (fields, signs, classes) = random_case(seed, rows, units);
        let ranks = layer_ranks(&fields, &fields, &signs, &classes).unwrap();
        for resample in 0..RESAMPLES {
            let counts: Vec<usize> =
                classes.counts.iter().map(|row| row[resample] as usize).collect();
            for class in 0..4 {
                let expected = gradient_of_repeated_rows(&fields, &signs, &classes, &counts, class);
                match (ranks.resampled[resample][class], expected) {
                    (Some(value), Some(expected)) => assert!((value - expected).abs() < 1e-12),
                    (value, expected) => assert_eq!(value, expected),
                }
            }
        }
    }
}

#[test]
fn mean_ranks_and_histograms_are_those_of_each_sample() {
    let (fields, signs, classes) = random_case(4, 50, 6);
    let ranks = layer_ranks(&fields, &fields, &signs, &classes).unwrap();
    let mut histogram = vec![[0u64; BINS]; 4];
    for (unit, fields) in fields.chunks(50).enumerate() {
        let mut sums = [0u64; 4];
        for (row, &field) in fields.iter().enumerate() {
            let class = classes.labels[row] as usize;
            let below = fields.iter().filter(|&&other| other < field).count();
            let tied = fields.iter().filter(|&&other| other == field).count();
            let twice_rank_less_one = 2 * below + tied;
            sums[class] += twice_rank_less_one as u64;
            let signed = match signs[class][unit] {
                1 => twice_rank_less_one,
                -1 => 100 - twice_rank_less_one,
                _ => 50,
            };
            histogram[class][20 * signed / 100] += 1;
        }
        assert_eq!(ranks.sums[unit], sums);
    }
    assert_eq!(ranks.histogram, histogram);
}

#[test]
fn sums_in_f32_and_f64_are_the_same_integers() {
    let (fields, signs, classes) = random_case(5, 300, 4);
    let narrow = Walk::<f32>::new(&signs, &classes).run(&fields, &fields);
    let wide = Walk::<f64>::new(&signs, &classes).run(&fields, &fields);
    assert_eq!(narrow, wide);
}

#[test]
fn a_value_that_is_not_finite_yields_nothing() {
    let (mut fields, signs, classes) = random_case(6, 20, 2);
    let clean = fields.clone();
    for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        fields[7] = broken;
        assert_eq!(layer_ranks(&fields, &clean, &signs, &classes), None);
        assert_eq!(layer_ranks(&clean, &fields, &signs, &classes), None);
    }
}
