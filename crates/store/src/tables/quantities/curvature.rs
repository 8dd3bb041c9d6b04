//! Curvature of the loss, noise of its gradient, and how far the tangent kernel moved.

use crate::tables::quantity::{AT_THE_END, HISTORY, Place, Quantity, Section, trials};

const BOTH: &[Place] = &[trials(AT_THE_END), HISTORY];

/// What the metric `curvature` fills.
pub(in crate::tables) const CURVATURE: Section = Section {
    name: "curvature",
    filled_by: "curvature",
    error: "none is stored; it is of the given 500 probe rows: repeat with another probe_seed, or over seeds",
    null_where: "where a gradient is not finite, and in trials where the trial diverged",
    cost: "30 gradients of 500 rows in f64 and one derivative row by row: more than a short training; proportional to the parameters, of which 21 copies in f64 are held",
    quantities: &[
        Quantity {
            name: "sharpness",
            places: BOTH,
            range: "any; positive but near a maximum",
            definition: "Largest eigenvalue λ of the Hessian of the training loss (labels trained on, no weight decay, batch norm in training mode) by all parameters, on 500 class-balanced probe rows.",
            formula: "λ_max(∇²L) as the largest Ritz value of 15 Lanczos steps with full reorthogonalisation;  Hv = (∇L(w + δv) − ∇L(w − δv))/2δ,  δ = 10⁻⁹(1 + |w|), in f64",
            error: "none is stored; from below by what 15 Lanczos steps leave (nothing where few eigenvalues stand out); with relu rarely too large, where a row crosses a kink within δ",
            ..Quantity::NEW
        },
        Quantity {
            name: "lr_sharpness",
            places: BOTH,
            range: "any; 1 is the edge of stability",
            definition: "Sharpness in units of the largest at which gradient descent with this learning rate and momentum is stable.",
            formula: "lr·λ/2;  with momentum m  lr·λ/(2(1 + m))",
            null_where: "unless the optimizer is sgd; where sharpness is",
            cost: "none beyond sharpness",
            ..Quantity::NEW
        },
        Quantity {
            name: "noise_scale",
            places: BOTH,
            unit: "rows",
            range: "at least 0",
            definition: "Batch size at which the noise of the minibatch gradient equals the gradient: g the gradient on the P = min(500, probe) rows, Σ the covariance (ddof 0) of the single rows' gradients.",
            formula: "tr Σ / (|g|² − tr Σ/P)",
            null_where: "where the denominator is not positive (the gradient is lost in its noise); with batch norm, where a row has no gradient of its own; where a gradient is not finite, and in trials where the trial diverged",
            cost: "one derivative row by row, by Gram matrices",
            ..Quantity::NEW
        },
        Quantity {
            name: "sharpness_initial",
            places: &[trials("")],
            range: "any",
            definition: "Sharpness at step 0, measured whatever the list of steps says.",
            formula: "λ_max(∇²L) at step 0",
            ..Quantity::NEW
        },
    ],
};

/// What the metric `kernel` fills.
pub(in crate::tables) const KERNEL: Section = Section {
    name: "kernel",
    filled_by: "kernel",
    error: "none is stored; it is of the given 100 probe rows: repeat with another probe_seed, or over seeds",
    null_where: "where a kernel vanishes or is not finite, and in trials where the trial diverged",
    cost: "one backward pass a class on 100 probe rows, for the network and its start, and Gram matrices of 100·100 a layer: proportional to K·depth·width²",
    quantities: &[Quantity {
        name: "ntk_change",
        places: BOTH,
        range: "0 to 1",
        definition: "How far the neural tangent kernel, traced over classes, has turned from that at initialisation, on 100 class-balanced probe rows; batch norm in evaluation mode.",
        formula: "1 − ⟨K_t, K_0⟩/(|K_t||K_0|),  K_ij = Σ_k ⟨∇z_k(x_i), ∇z_k(x_j)⟩ over all parameters",
        ..Quantity::NEW
    }],
};
