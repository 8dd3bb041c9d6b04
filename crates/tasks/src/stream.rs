//! Keyed counter-based random streams: all of phasegrid's randomness.
//!
//! A stream is ChaCha8 keyed by BLAKE3 of (seed, purpose, indices): equal keys give equal
//! numbers on every machine, always, and different keys independent ones. Only raw 64-bit
//! words are taken from the generator; every conversion is written out here (and the normal
//! uses `libm`), so that no upgrade of a crate, compiler or C library can change a number.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Separates these keys from any other use of BLAKE3.
const KEY_CONTEXT: &str = "phasegrid 2026-11-23 random stream v1";

/// 2^-53: the spacing of uniform f64 draws.
const F64_STEP: f64 = 1.0 / (1u64 << 53) as f64;

/// A stream of random numbers of one purpose.
#[derive(Clone, Debug)]
pub struct Stream {
    generator: ChaCha8Rng,
    spare_normal: Option<f64>,
}

impl Stream {
    /// The stream of `purpose` under `seed`, one of many told apart by `indices` (layer,
    /// epoch, row …).
    pub fn new(seed: u64, purpose: &str, indices: &[u64]) -> Stream {
        let mut hasher = blake3::Hasher::new_derive_key(KEY_CONTEXT);
        hasher.update(&seed.to_le_bytes());
        hasher.update(&(purpose.len() as u64).to_le_bytes());
        hasher.update(purpose.as_bytes());
        for index in indices {
            hasher.update(&index.to_le_bytes());
        }
        let generator = ChaCha8Rng::from_seed(*hasher.finalize().as_bytes());
        Stream { generator, spare_normal: None }
    }

    /// 64 uniform bits.
    pub fn next_u64(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform in [0, 1): the top 53 bits times 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * F64_STEP
    }

    /// Uniform in [0, 1) as f32: the top 24 bits times 2^-24.
    pub fn uniform_f32(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 * (1.0 / (1u32 << 24) as f32)
    }

    /// Standard normal by Box–Muller: r = sqrt(-2 ln(1 - u1)), r cos(2 pi u2), then r sin(2 pi u2).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
        let angle = 2.0 * std::f64::consts::PI * self.uniform();
        let (sine, cosine) = libm::sincos(angle);
        self.spare_normal = Some(radius * sine);
        radius * cosine
    }

    /// [`normal`](Self::normal), rounded to f32.
    pub fn normal_f32(&mut self) -> f32 {
        self.normal() as f32
    }

    /// `count` standard normals as f32.
    pub fn normals_f32(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.normal_f32()).collect()
    }

    /// Uniform in 0..bound without bias: the high word of (64 bits · bound), redrawn where the
    /// low word falls below 2^64 mod bound (Lemire 2019). 0 for a bound of 0 or 1.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        if bound <= 1 {
            return 0;
        }
        let rejected_below = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= rejected_below {
                return (product >> 64) as usize;
            }
        }
    }

    /// Fisher–Yates from the last position down.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let chosen = self.below(last + 1);
            items.swap(last, chosen);
        }
    }

    /// A uniformly drawn order of 0..length.
    pub fn permutation(&mut self, length: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..length).collect();
        self.shuffle(&mut order);
        order
    }
}
