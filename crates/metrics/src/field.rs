//! Local fields on the host: their total order, and units sorted by it.

/// A floating-point type in which local fields h and activations y come.
pub(crate) trait Field: Copy + PartialOrd + Default + tch::kind::Element {
    /// A sample with its field in one integer that sorts as the field does.
    type Packed: Ord + Copy;
    /// Packs a field (not NaN) with its sample; −0 and 0 get equal keys.
    fn pack(self, sample: u32) -> Self::Packed;
    /// The packed sample.
    fn sample(packed: Self::Packed) -> u32;
    /// Whether two packed samples have the same field.
    fn tied(a: Self::Packed, b: Self::Packed) -> bool;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Exactly 0.
    fn is_zero(self) -> bool;
}

/// Maps the bits of a float to an unsigned integer of the same order: all bits of negative
/// numbers flip, of the others only the sign.
macro_rules! ordered_bits {
    ($value:expr, $bits:ty) => {{
        let bits = ($value + 0.0).to_bits();
        let sign = <$bits>::MAX / 2 + 1;
        if bits & sign == 0 { bits | sign } else { !bits }
    }};
}

impl Field for f32 {
    type Packed = u64;
    fn pack(self, sample: u32) -> u64 {
        u64::from(ordered_bits!(self, u32)) << 32 | u64::from(sample)
    }
    fn sample(packed: u64) -> u32 {
        packed as u32
    }
    fn tied(a: u64, b: u64) -> bool {
        a >> 32 == b >> 32
    }
    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }
    fn is_zero(self) -> bool {
        self == 0.0
    }
}

impl Field for f64 {
    type Packed = u128;
    fn pack(self, sample: u32) -> u128 {
        u128::from(ordered_bits!(self, u64)) << 32 | u128::from(sample)
    }
    fn sample(packed: u128) -> u32 {
        packed as u32
    }
    fn tied(a: u128, b: u128) -> bool {
        a >> 32 == b >> 32
    }
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
    fn is_zero(self) -> bool {
        self == 0.0
    }
}

/// One unit's samples in the order of its field, with the runs of equal fields.
pub(crate) struct SortedUnit<T: Field> {
    packed: Vec<T::Packed>,
    /// Samples (probe rows) by increasing field.
    pub(crate) order: Vec<u32>,
    /// Where each run of equal fields ends in `order`, exclusive; the last is P.
    pub(crate) run_ends: Vec<u32>,
}

impl<T: Field> SortedUnit<T> {
    /// Buffers for units of that many samples.
    pub(crate) fn with_capacity(samples: usize) -> Self {
        SortedUnit {
            packed: Vec::with_capacity(samples),
            order: Vec::with_capacity(samples),
            run_ends: Vec::with_capacity(samples),
        }
    }

    /// Sorts the samples by `fields` \[P\], which hold no NaN.
    pub(crate) fn sort(&mut self, fields: &[T]) {
        self.packed.clear();
        self.packed
            .extend(fields.iter().enumerate().map(|(sample, field)| field.pack(sample as u32)));
        self.packed.sort_unstable();
        self.order.clear();
        self.order.extend(self.packed.iter().map(|&packed| T::sample(packed)));
        self.run_ends.clear();
        let mut end = 0;
        for run in self.packed.chunk_by(|&a, &b| T::tied(a, b)) {
            end += run.len() as u32;
            self.run_ends.push(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_by_increasing_field_with_ties_together() {
        let mut unit = SortedUnit::with_capacity(6);
        unit.sort(&[0.0f32, -1.5, 3.0, -0.0, f32::MIN_POSITIVE, -1e30]);
        assert_eq!(unit.order, [5, 1, 0, 3, 4, 2]);
        assert_eq!(unit.run_ends, [1, 2, 4, 5, 6]);
        let mut unit = SortedUnit::with_capacity(3);
        unit.sort(&[2.0f64, -1.0, 2.0]);
        assert_eq!((unit.order, unit.run_ends), (vec![1, 0, 2], vec![1, 3]));
    }
}
