//! Rank statistics by batched tensor operations, for fields on an accelerator.
//!
//! The same integers as `rank_host`, from two sorts and gathers over [E, n, P] at once. A
//! trial's NaN or infinite values reach only its own rows, which the caller discards.

use tch::{Device, Kind, Tensor};

use crate::classes::{Classes, LANES, RESAMPLES};
use crate::error::MetricError;
use crate::host::to_f64;
use crate::rank::{BINS, LayerRanks, Signs, gradient_of};

/// Rank statistics by trial from h and y, both [E, n, P]; `None` for a trial with a value that
/// is not finite.
pub(crate) fn layer_ranks(
    fields: &Tensor,
    activations: &Tensor,
    signs: &[Signs],
    classes: &[&Classes],
) -> Result<Vec<Option<LayerRanks>>, MetricError> {
    let shape = Shape::of(fields, classes);
    let finite =
        fields.isfinite().logical_and(&activations.isfinite()).flatten(1, -1).all_dim(-1, false);
    let finite = to_f64(&finite)?;
    let sorted = Sorted::new(fields, activations, classes);
    let signs_of_class = signs_tensor(signs, &shape, fields.device());
    let sums = to_f64(&class_sums(&sorted, &sorted.v, &shape))?;
    let histogram = to_f64(&histograms(&sorted, &signs_of_class, &shape))?;
    let resampled = to_f64(&resampled_excess(&sorted, &signs_of_class, classes, &shape))?;
    let (inversions, ties) = pair_rates(&sorted, &shape);
    let (inversions, ties) = (to_f64(&inversions)?, to_f64(&ties)?);
    let dead = activations.eq(0.0).all_dim(-1, false).to_kind(Kind::Double).mean_dim(
        -1,
        false,
        Kind::Double,
    );
    let dead = to_f64(&dead)?;

    let ranks_of = |trial: usize| {
        let gradient = |resample: usize, class: usize| {
            let size = classes[trial].sizes[class];
            let excess = resampled[(resample * shape.trials + trial) * shape.classes + class];
            (size > 0 && shape.units > 0)
                .then(|| gradient_of(excess, shape.units, size, shape.rows))
        };
        let per_trial = shape.units * shape.classes;
        let own_sums = &sums[trial * per_trial..(trial + 1) * per_trial];
        let own_histogram =
            &histogram[trial * shape.classes * BINS..(trial + 1) * shape.classes * BINS];
        let counts = |bins: &[f64]| std::array::from_fn(|bin| bins[bin] as u64);
        LayerRanks {
            sums: own_sums
                .chunks(shape.classes)
                .map(|unit| unit.iter().map(|&sum| sum as u64).collect())
                .collect(),
            histogram: own_histogram.chunks(BINS).map(counts).collect(),
            resampled: (0..RESAMPLES)
                .map(|resample| (0..shape.classes).map(|class| gradient(resample, class)).collect())
                .collect(),
            inversion_rate: Some(inversions[trial]).filter(|rate| rate.is_finite()),
            tie_rate: Some(ties[trial]).filter(|rate| rate.is_finite()),
            dead_fraction: dead[trial],
        }
    };
    Ok((0..shape.trials).map(|trial| (finite[trial] == 1.0).then(|| ranks_of(trial))).collect())
}

/// Sizes of a chunk.
struct Shape {
    trials: usize,
    units: usize,
    rows: usize,
    classes: usize,
}

impl Shape {
    fn of(fields: &Tensor, classes: &[&Classes]) -> Shape {
        let size = fields.size();
        Shape {
            trials: size[0] as usize,
            units: size[1] as usize,
            rows: size[2] as usize,
            classes: classes.first().map_or(0, |classes| classes.count()),
        }
    }

    fn dimensions(&self) -> [i64; 3] {
        [self.trials as i64, self.units as i64, self.rows as i64]
    }
}

/// Samples of every unit by (h, y), all tensors [E, n, P] in that order.
struct Sorted {
    /// Probe row.
    order: Tensor,
    /// Label.
    labels: Tensor,
    /// Where the run of equal h begins and ends (inclusive).
    run_start: Tensor,
    run_end: Tensor,
    /// 2·rank − 1 = run_start + run_end + 1.
    v: Tensor,
    /// Dense rank of y among the unit's samples, from 0.
    output_rank: Tensor,
}

impl Sorted {
    fn new(fields: &Tensor, activations: &Tensor, classes: &[&Classes]) -> Sorted {
        let size = fields.size();
        let (sorted_outputs, by_output) = activations.sort_stable(true, -1, false);
        let rank_by_output = starts_run(&sorted_outputs).cumsum(-1, Kind::Int64) - 1;
        let (sorted_fields, by_field) =
            fields.gather(-1, &by_output, false).sort_stable(true, -1, false);
        let order = by_output.gather(-1, &by_field, false);
        let output_rank = rank_by_output.gather(-1, &by_field, false);

        let labels: Vec<Tensor> = classes
            .iter()
            .map(|classes| {
                Tensor::from_slice(
                    &classes.labels.iter().map(|&label| i64::from(label)).collect::<Vec<_>>(),
                )
            })
            .collect();
        let labels =
            Tensor::stack(&labels, 0).to_device(fields.device()).unsqueeze(1).expand(&size, false);
        let (run_start, run_end) = runs(&sorted_fields);
        Sorted {
            labels: labels.gather(-1, &order, false),
            v: &run_start + &run_end + 1,
            order,
            run_start,
            run_end,
            output_rank,
        }
    }
}

/// 1 where a value differs from the one before it in sorted order, and at the first.
fn starts_run(sorted: &Tensor) -> Tensor {
    let rows = sorted.size()[2];
    let starts = sorted.ones_like().to_kind(Kind::Bool);
    if rows > 1 {
        let differs =
            sorted.narrow(2, 1, rows - 1).not_equal_tensor(&sorted.narrow(2, 0, rows - 1));
        starts.narrow(2, 1, rows - 1).copy_(&differs);
    }
    starts
}

/// First and last position of the run of equal values that each position lies in.
fn runs(sorted: &Tensor) -> (Tensor, Tensor) {
    let rows = sorted.size()[2];
    let positions =
        Tensor::arange(rows, (Kind::Int64, sorted.device())).expand(sorted.size(), false);
    let starts = starts_run(sorted);
    let run_start = positions.where_self(&starts, &positions.zeros_like()).cummax(-1).0;
    let is_last = starts.roll([-1i64], [2i64]);
    let last = positions.where_self(&is_last, &(positions.zeros_like() + (rows - 1)));
    let run_end = last.flip([2i64]).cummin(-1).0.flip([2i64]);
    (run_start, run_end)
}

/// [E, n, K] i64: sums of `values` [E, n, P] over the samples of each class.
fn class_sums(sorted: &Sorted, values: &Tensor, shape: &Shape) -> Tensor {
    let size = [shape.trials as i64, shape.units as i64, shape.classes as i64];
    Tensor::zeros(size, (values.kind(), values.device())).scatter_add(2, &sorted.labels, values)
}

/// [E, n, K] i64: the signs of M.
fn signs_tensor(signs: &[Signs], shape: &Shape, device: Device) -> Tensor {
    let flat: Vec<i64> = signs.iter().flatten().flatten().map(|&sign| i64::from(sign)).collect();
    let size = [shape.trials as i64, shape.classes as i64, shape.units as i64];
    Tensor::from_slice(&flat).view(size).to_device(device).transpose(1, 2).contiguous()
}

/// [E, K·20] i64: counts of signed v by class and bin.
fn histograms(sorted: &Sorted, signs: &Tensor, shape: &Shape) -> Tensor {
    let rows = shape.rows as i64;
    let sign = signs.gather(2, &sorted.labels, false);
    let signed_v = (&sorted.v - rows) * sign + rows;
    let bin = (signed_v * (BINS as i64 / 2)).divide_scalar_mode(rows, "floor");
    let cell = (&sorted.labels * BINS as i64 + bin).view([shape.trials as i64, -1]);
    let size = [shape.trials as i64, (shape.classes * BINS) as i64];
    Tensor::zeros(size, (Kind::Int64, cell.device())).scatter_add(1, &cell, &cell.ones_like())
}

/// [R, E, K] f64: Σ_i s_ki (Σ v − n_k P) under each resample.
fn resampled_excess(
    sorted: &Sorted,
    signs: &Tensor,
    classes: &[&Classes],
    shape: &Shape,
) -> Tensor {
    let device = signs.device();
    let lanes: Vec<Tensor> = classes
        .iter()
        .map(|classes| Tensor::from_slice(classes.counts.as_flattened()).view([-1, LANES as i64]))
        .collect();
    // [E, P, R], exact integers.
    let counts = Tensor::stack(&lanes, 0).to_device(device).to_kind(Kind::Int64);
    let sizes: Vec<i64> =
        classes.iter().flat_map(|classes| classes.sizes.iter().map(|&size| size as i64)).collect();
    let flat = Tensor::from_slice(&sizes).to_device(device).view([
        shape.trials as i64,
        1,
        shape.classes as i64,
    ]) * shape.rows as i64;
    let excess: Vec<Tensor> = (0..RESAMPLES as i64)
        .map(|resample| {
            let own = counts.select(2, resample).unsqueeze(1).expand(shape.dimensions(), false);
            let count = own.gather(2, &sorted.order, false);
            let through = count.cumsum(-1, Kind::Int64);
            let up_to_run = through.gather(2, &sorted.run_end, false);
            let before_run = (&through - &count).gather(2, &sorted.run_start, false);
            let sums = class_sums(sorted, &(count * (up_to_run + before_run)), shape);
            ((sums - &flat) * signs).sum_dim_intlist(1, false, Kind::Int64).to_kind(Kind::Double)
        })
        .collect();
    Tensor::stack(&excess, 0)
}

/// Inversion and tie rate, f64 [E] each: means over units with two different h, NaN where
/// there is none.
fn pair_rates(sorted: &Sorted, shape: &Shape) -> (Tensor, Tensor) {
    let tied_before = |start: &Tensor| {
        let positions = Tensor::arange(shape.rows as i64, (Kind::Int64, start.device()));
        (positions - start).sum_dim_intlist(-1, false, Kind::Int64)
    };
    let pairs = (shape.rows * shape.rows.saturating_sub(1) / 2) as i64;
    let distinct = pairs - tied_before(&sorted.run_start);
    let tied_outputs = tied_before(&runs(&sorted.output_rank.sort(-1, false).0).0);
    let both = &sorted.run_start * shape.rows as i64 + &sorted.output_rank;
    let tied_both = tied_before(&runs(&both).0);
    let defined = distinct.gt(0);
    let mean = |counts: &Tensor| {
        let share = counts.to_kind(Kind::Double) / distinct.to_kind(Kind::Double);
        let share = share.where_self(&defined, &share.zeros_like());
        share.sum_dim_intlist(-1, false, Kind::Double)
            / defined.sum_dim_intlist(-1, false, Kind::Double)
    };
    (mean(&inversions(&sorted.output_rank, shape.rows)), mean(&(tied_outputs - tied_both)))
}

/// Pairs i < j with ranks[i] > ranks[j], [E, n] i64, bit by bit from the highest: among the
/// samples that share all higher bits, in order, a 1 before a 0 is an inversion.
fn inversions(ranks: &Tensor, rows: usize) -> Tensor {
    let mut total = ranks.select(2, 0).zeros_like();
    let increases = rows < 2 || {
        let step = ranks.narrow(2, 1, rows as i64 - 1) - ranks.narrow(2, 0, rows as i64 - 1);
        step.ge(0).all().int64_value(&[]) == 1
    };
    if increases {
        return total;
    }
    let bits = usize::BITS - rows.leading_zeros();
    let mut ranks = ranks.shallow_clone();
    for bit in (0..i64::from(bits)).rev() {
        let shifted = ranks.bitwise_right_shift_tensor_scalar(bit);
        let ones = shifted.bitwise_and(1);
        let before = ones.cumsum(-1, Kind::Int64) - &ones;
        // `ranks` is grouped by its bits above this one.
        let (group_start, _) = runs(&shifted.bitwise_right_shift_tensor_scalar(1));
        let before = &before - before.gather(2, &group_start, false);
        total += (before * (1i64 - &ones)).sum_dim_intlist(-1, false, Kind::Int64);
        let (_, by_prefix) = shifted.sort_stable(true, -1, false);
        ranks = ranks.gather(2, &by_prefix, false);
    }
    total
}
