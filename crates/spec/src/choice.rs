//! Hyperparameters that are one of a few names.

use crate::hyperparameter::HyperparameterType;
use crate::value::Value;

/// Defines an enum whose variants have the names used in sweep files and tables.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }

        impl $name {
            /// Every name, in the order of declaration.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// The name used in sweep files and tables.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The variant of that name, if there is one.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl HyperparameterType for $name {
            fn to_value(&self) -> Value { Value::Text(self.name().into()) }
            fn from_value(value: &Value) -> Option<Self> {
                match value { Value::Text(name) => Self::from_name(name), _ => None }
            }
        }
    };
}

choice! {
    /// The unit's nonlinearity f, applied after batch norm if there is any.
    Activation {
        /// max(h, 0)
        Relu = "relu",
        /// tanh(h)
        Tanh = "tanh",
        /// h: a linear network
        Identity = "identity",
        /// h·Phi(h), Phi the standard normal distribution function (not the tanh approximation)
        Gelu = "gelu",
        /// exp(-h²): not monotone
        Gauss = "gauss",
    }
}

choice! {
    /// How weights and biases are drawn at step 0 (times `init_scale`).
    Init {
        /// W, b ~ U(±1/sqrt(fan_in))
        FanInUniform = "fan_in_uniform",
        /// W ~ N(0, 2/fan_in), b = 0
        HeNormal = "he_normal",
    }
}

choice! {
    /// The training loss, a mean over the minibatch.
    Loss {
        /// Cross-entropy in nats.
        CrossEntropy = "cross_entropy",
        /// Squared error against the one-hot label, mean over classes, no 1/2.
        Mse = "mse",
    }
}

choice! {
    /// The update rule; the exact formulas stand in docs/metrics.md, Training conventions.
    Optimizer {
        /// Stochastic gradient descent, with momentum if `momentum` is not 0.
        Sgd = "sgd",
        /// Adam with coupled weight decay.
        Adam = "adam",
        /// Adam with decoupled weight decay.
        AdamW = "adamw",
    }
}
