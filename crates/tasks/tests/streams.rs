//! The streams never change: golden numbers, and what the conversions promise.

use phasegrid_tasks::stream::Stream;

#[test]
fn golden_numbers() {
    let mut stream = Stream::new(7, "golden", &[1, 2]);
    let words: Vec<u64> = (0..3).map(|_| stream.next_u64()).collect();
    assert_eq!(
        format!("{words:?}"),
        "[11703063178268207004, 6615774853834977444, 18268011620738486497]"
    );
    let mut stream = Stream::new(7, "golden", &[]);
    let drawn = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        [stream.uniform(), stream.uniform()],
        [stream.uniform_f32(), stream.uniform_f32()],
        [stream.normal(), stream.normal(), stream.normal()],
        [stream.below(10), stream.below(1_000), stream.below(7)],
        stream.normals_f32(2),
        stream.permutation(8),
    );
    assert_eq!(
        drawn,
        "[0.6695711870116543, 0.44591486908747846] [0.31056595, 0.6331271] \
         [0.3099132921364819, -0.7884131790730556, 0.5621545859694864] [1, 778, 6] \
         [0.6021416, -0.5151967] [5, 7, 1, 2, 4, 6, 3, 0]"
    );
}

#[test]
fn keys_differ_in_seed_purpose_and_indices() {
    let first = |seed, purpose, indices: &[u64]| Stream::new(seed, purpose, indices).next_u64();
    let all = [
        first(0, "a", &[]),
        first(1, "a", &[]),
        first(0, "b", &[]),
        first(0, "a", &[0]),
        first(0, "a", &[1]),
        first(0, "a", &[0, 0]),
        first(0, "", &[97]),
    ];
    for (position, word) in all.iter().enumerate() {
        assert!(!all[..position].contains(word), "{position}");
    }
}

#[test]
fn moments_are_those_of_the_distributions() {
    const COUNT: usize = 200_000;
    let mut stream = Stream::new(1, "moments", &[]);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / COUNT as f64;
    let uniforms: Vec<f64> = (0..COUNT).map(|_| stream.uniform()).collect();
    assert!((mean(&uniforms) - 0.5).abs() < 4.0 * (1.0f64 / 12.0 / COUNT as f64).sqrt());
    assert!(uniforms.iter().all(|value| (0.0..1.0).contains(value)));
    let normals: Vec<f64> = (0..COUNT).map(|_| stream.normal()).collect();
    let power =
        |exponent| mean(&normals.iter().map(|value| value.powi(exponent)).collect::<Vec<_>>());
    let error = 1.0 / (COUNT as f64).sqrt();
    assert!(power(1).abs() < 4.0 * error);
    assert!((power(2) - 1.0).abs() < 4.0 * error * 2f64.sqrt());
    assert!(power(3).abs() < 4.0 * error * 15f64.sqrt());
    assert!((power(4) - 3.0).abs() < 4.0 * error * 96f64.sqrt());
}

#[test]
fn below_is_uniform_and_a_permutation_is_one() {
    let mut stream = Stream::new(2, "below", &[]);
    let mut counts = [0usize; 3];
    (0..30_000).for_each(|_| counts[stream.below(3)] += 1);
    assert!(counts.iter().all(|count| count.abs_diff(10_000) < 4 * 82), "{counts:?}");
    assert_eq!((stream.below(0), stream.below(1)), (0, 0));
    let mut order = stream.permutation(1_000);
    order.sort_unstable();
    assert!(order.into_iter().eq(0..1_000));
}
