//! Rank statistics on the host: for each unit one sort, then walks in sorted order.

use crate::classes::{Classes, LANES, RESAMPLES};
use crate::field::{Field, SortedUnit};
use crate::pairs::count_pairs;
use crate::rank::{BINS, LayerRanks, Signs, bin_of, gradient_of};
use crate::weighted::{Weight, add_class_sums};

/// Rank statistics of one layer of one trial from its fields and activations, both [n, P] row
/// by row; `None` if any of them is not finite.
pub(crate) fn layer_ranks<T: Field>(
    fields: &[T],
    activations: &[T],
    signs: &Signs,
    classes: &Classes,
) -> Option<LayerRanks> {
    if !fields.iter().chain(activations).all(|value| value.is_finite()) {
        return None;
    }
    let largest = classes.sizes.iter().copied().max().unwrap_or(0);
    let fits_f32 = 2 * (largest as u64) * (classes.rows() as u64) < 1 << 24;
    Some(match fits_f32 {
        true => Walk::<f32>::new(signs, classes).run(fields, activations),
        false => Walk::<f64>::new(signs, classes).run(fields, activations),
    })
}

/// Sums over the units of a layer.
struct Walk<'a, W> {
    signs: &'a Signs,
    classes: &'a Classes,
    /// Bin of each v in 0…2P.
    bins: Vec<u8>,
    sums: Vec<Vec<u64>>,
    histogram: Vec<[u64; BINS]>,
    /// [K][R]: Σ_i s_ki (Σ v − n_k P) under each resample.
    signed_excess: Vec<[f64; LANES]>,
    /// [K][R]: one unit's Σ v of class k under each resample.
    unit_sums: Vec<[W; LANES]>,
}

impl<'a, W: Weight> Walk<'a, W> {
    fn new(signs: &'a Signs, classes: &'a Classes) -> Self {
        let rows = classes.rows();
        Walk {
            signs,
            classes,
            bins: (0..=2 * rows).map(|v| bin_of(v, rows.max(1)) as u8).collect(),
            sums: Vec::new(),
            histogram: vec![[0; BINS]; classes.count()],
            signed_excess: vec![[0.0; LANES]; classes.count()],
            unit_sums: vec![[W::default(); LANES]; classes.count()],
        }
    }

    fn run<T: Field>(mut self, fields: &[T], activations: &[T]) -> LayerRanks {
        let rows = self.classes.rows();
        let mut sorted = SortedUnit::<T>::with_capacity(rows);
        let mut pairs = PairRates::new(rows);
        let mut dead = 0usize;
        let units = fields.chunks_exact(rows.max(1)).zip(activations.chunks_exact(rows.max(1)));
        let count = units.len();
        for (unit, (unit_fields, unit_activations)) in units.enumerate() {
            sorted.sort(unit_fields);
            self.add_ranks(unit, &sorted);
            self.add_resamples(unit, &sorted);
            pairs.add(&sorted, unit_activations);
            dead += usize::from(unit_activations.iter().all(|value| value.is_zero()));
        }
        LayerRanks {
            resampled: self.resampled(count),
            sums: self.sums,
            histogram: self.histogram,
            inversion_rate: pairs.inversion.mean(),
            tie_rate: pairs.tie.mean(),
            dead_fraction: dead as f64 / count.max(1) as f64,
        }
    }

    fn add_ranks<T: Field>(&mut self, unit: usize, sorted: &SortedUnit<T>) {
        let rows = self.classes.rows();
        let unit_signs: Vec<i8> = self.signs.iter().map(|class| class[unit]).collect();
        let mut sums = vec![0u64; self.classes.count()];
        let mut start = 0;
        for &end in &sorted.run_ends {
            let v = start + end as usize;
            let bin_by_sign = [self.bins[2 * rows - v], self.bins[rows], self.bins[v]];
            for &sample in &sorted.order[start..end as usize] {
                let label = self.classes.labels[sample as usize] as usize;
                sums[label] += v as u64;
                let bin = bin_by_sign[(unit_signs[label] + 1) as usize];
                self.histogram[label][bin as usize] += 1;
            }
            start = end as usize;
        }
        self.sums.push(sums);
    }

    fn add_resamples<T: Field>(&mut self, unit: usize, sorted: &SortedUnit<T>) {
        self.unit_sums.fill([W::default(); LANES]);
        let Classes { labels, sizes, counts } = self.classes;
        add_class_sums(&sorted.order, &sorted.run_ends, labels, counts, &mut self.unit_sums);
        for (class, sums) in self.unit_sums.iter().enumerate() {
            let sign = f64::from(self.signs[class][unit]);
            let flat = (sizes[class] * labels.len()) as f64;
            for (excess, sum) in self.signed_excess[class].iter_mut().zip(sums) {
                *excess += sign * (sum.to_f64() - flat);
            }
        }
    }

    fn resampled(&self, units: usize) -> Vec<Vec<Option<f64>>> {
        let gradient = |resample: usize, class: usize| {
            let size = self.classes.sizes[class];
            let excess = self.signed_excess[class][resample];
            (size > 0 && units > 0).then(|| gradient_of(excess, units, size, self.classes.rows()))
        };
        let of =
            |resample| (0..self.classes.count()).map(|class| gradient(resample, class)).collect();
        (0..RESAMPLES).map(of).collect()
    }
}

/// A mean over those units for which a share is defined.
#[derive(Default)]
struct MeanShare {
    total: f64,
    units: usize,
}

impl MeanShare {
    fn add(&mut self, part: u64, whole: u64) {
        if whole > 0 {
            self.total += part as f64 / whole as f64;
            self.units += 1;
        }
    }

    fn mean(&self) -> Option<f64> {
        (self.units > 0).then(|| self.total / self.units as f64)
    }
}

/// Inversion and tie rates of the units, and the buffers they need.
struct PairRates<T> {
    inversion: MeanShare,
    tie: MeanShare,
    ordered: Vec<T>,
    scratch: Vec<T>,
}

impl<T: Field> PairRates<T> {
    fn new(rows: usize) -> Self {
        PairRates {
            inversion: MeanShare::default(),
            tie: MeanShare::default(),
            ordered: Vec::with_capacity(rows),
            scratch: Vec::with_capacity(rows),
        }
    }

    fn add(&mut self, sorted: &SortedUnit<T>, activations: &[T]) {
        self.ordered.clear();
        self.ordered.extend(sorted.order.iter().map(|&sample| activations[sample as usize]));
        let counts = count_pairs(&mut self.ordered, &sorted.run_ends, &mut self.scratch);
        self.inversion.add(counts.discordant, counts.distinct_first());
        self.tie.add(counts.tied_second_only(), counts.distinct_first());
    }
}

#[cfg(test)]
#[path = "rank_host_tests.rs"]
mod tests;
