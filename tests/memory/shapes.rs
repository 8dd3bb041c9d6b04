//! Small units of mixed shapes, a different one each time, the same ones in every run.

use phasegrid_proto::v1::Unit;
use phasegrid_spec::{Activation, AtSteps, Hyperparameters, Measure, Optimizer, SaveWeights};

/// Every shape is drawn anew, so that large ones come early and late.
struct Draw(u64);

impl Draw {
    /// 0…below−1 (splitmix64)
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % below as u64) as usize
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// The unit of that number: 1 to 8 trials of one shape, measured before and after training by the
/// default metrics, or by the first two of them.
pub(crate) fn unit(number: usize, every_metric: bool) -> Unit {
    let mut draw = Draw(number as u64);
    let (optimizer, momentum) = draw.of(&[
        (Optimizer::Sgd, 0.0),
        (Optimizer::Sgd, 0.9),
        (Optimizer::Adam, 0.0),
        (Optimizer::AdamW, 0.0),
    ]);
    let shape = Hyperparameters {
        task: "digits".into(),
        depth: draw.of(&[1, 2, 3, 4]),
        width: draw.of(&[4, 7, 12, 16, 24, 32]),
        batch_size: draw.of(&[8, 16, 33, 64]),
        activation: draw.of(&[
            Activation::Relu,
            Activation::Tanh,
            Activation::Identity,
            Activation::Gelu,
            Activation::Gauss,
        ]),
        batch_norm: draw.of(&[false, true]),
        steps: draw.of(&[5, 10, 20]),
        optimizer,
        momentum,
        ..Hyperparameters::default()
    };
    let trials = 1 + draw.below(8) as i64;
    // Groups that share their minibatches and networks that do not, and some that diverge.
    let seeds = draw.of(&[1, 2, trials]);
    let largest_rate = draw.of(&[0.1, 0.1, 0.1, 1e4]);
    let trials = (0..trials).map(|index| Hyperparameters {
        seed: index % seeds,
        learning_rate: largest_rate / (index + 1) as f64,
        ..shape.clone()
    });
    let metrics = if every_metric { Measure::DEFAULT_METRICS } else { &["order", "lmap"] };
    let measure = Measure {
        metrics: metrics.iter().map(|name| (*name).to_owned()).collect(),
        at: AtSteps::Steps(vec![0, shape.steps]),
        probe_samples: 100,
        history: 2,
        save_weights: draw.of(&[SaveWeights::None, SaveWeights::Final]),
        ..Measure::default()
    };
    Unit {
        sweep: "memory".to_owned(),
        unit: number as u64,
        attempt: 1,
        trials: trials.map(|trial| trial.canonical_json()).collect(),
        measure: serde_json::to_string(&measure).expect("a measure is JSON"),
        ..Unit::default()
    }
}
