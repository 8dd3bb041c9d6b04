//! The hyperparameters: one table from which parsing, columns, help and identity follow.
//!
//! A new hyperparameter is one entry of [`hyperparameters!`] below. Defaults never change:
//! a hyperparameter added later enters the trial identity only where it is not at its default.

use crate::choice::{Activation, Init, Loss, Optimizer};
use crate::drawn_task::DrawnTask;
use crate::value::{Value, round_to_12_digits};
use std::sync::{Arc, LazyLock};

/// The type and range of a hyperparameter's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A whole number in `min..=max`.
    Integer {
        /// Smallest allowed value.
        min: i64,
        /// Largest allowed value.
        max: i64,
    },
    /// A real number in `min..=max`, or `min` excluded.
    Float {
        /// Lower bound.
        min: f64,
        /// Largest allowed value.
        max: f64,
        /// Whether `min` itself is refused.
        above_min: bool,
    },
    /// `true` or `false`.
    Boolean,
    /// One of these names.
    Choice(&'static [&'static str]),
    /// A task's name, checked against the task registry by whoever loads its data.
    Task,
}

/// Whether a hyperparameter is always part of the trial identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Part of every trial's identity: the hyperparameters of the first release.
    Always,
    /// Part of it only where it is not at its default: every one added since.
    WhenNotDefault,
}

/// What is known of a hyperparameter beside its value.
#[derive(Clone, Copy, Debug)]
pub struct Hyperparameter {
    /// Name in sweep files, and the column's name in every table.
    pub name: &'static str,
    /// Type and range.
    pub kind: Kind,
    /// Whether trials of one unit may differ in it; the others are the shape.
    pub fusable: bool,
    /// Unit of the column; empty where it has none.
    pub unit: &'static str,
    /// One sentence for help, docs and schema.
    pub description: &'static str,
    /// Part of the trial identity always, or only away from the default.
    pub presence: Presence,
    /// The tasks it is a parameter of; empty for what every trial has.
    pub tasks: &'static [DrawnTask],
}

impl Hyperparameter {
    /// Whether trials of this task have it.
    pub fn belongs_to(&self, task: &str) -> bool {
        self.tasks.is_empty() || self.tasks.iter().any(|owner| owner.name() == task)
    }

    /// The tasks it is a parameter of: "gaussian-mixture and teacher-student".
    pub fn tasks_in_words(&self) -> String {
        let names: Vec<&str> = self.tasks.iter().map(|task| task.name()).collect();
        names.join(" and ")
    }
}

/// The parameters of tasks.
pub(crate) static TASK_PARAMETERS: LazyLock<Vec<HyperparameterId>> = LazyLock::new(|| {
    HyperparameterId::all().filter(|id| !id.definition().tasks.is_empty()).collect()
});

/// Position of a hyperparameter in [`HYPERPARAMETERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HyperparameterId(pub(crate) usize);

impl HyperparameterId {
    /// Every hyperparameter, in column order.
    pub fn all() -> impl Iterator<Item = HyperparameterId> {
        (0..HYPERPARAMETERS.len()).map(HyperparameterId)
    }

    /// The hyperparameter of that name.
    pub fn from_name(name: &str) -> Option<HyperparameterId> {
        HYPERPARAMETERS.iter().position(|candidate| candidate.name == name).map(HyperparameterId)
    }

    /// Its definition.
    pub fn definition(self) -> &'static Hyperparameter {
        &HYPERPARAMETERS[self.0]
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// Its documented default.
    pub fn default_value(self) -> Value {
        Hyperparameters::default().get(self)
    }

    /// Checks and converts a value to the declared type: an integer where a float is declared
    /// becomes a float, a whole float where an integer is declared becomes an integer, floats
    /// are rounded to 12 digits. The error says what is allowed.
    pub fn check(self, value: &Value) -> Result<Value, String> {
        let definition = self.definition();
        match (definition.kind, value) {
            (Kind::Integer { min, max }, Value::Integer(number)) => {
                check_integer(*number, min, max)
            }
            (Kind::Integer { min, max }, Value::Float(number)) if number.fract() == 0.0 => {
                check_integer(*number as i64, min, max)
            }
            (Kind::Float { min, max, above_min }, Value::Integer(_) | Value::Float(_)) => {
                let number = round_to_12_digits(value.as_number().unwrap_or(f64::NAN));
                check_float(number, min, max, above_min)
            }
            (Kind::Boolean, Value::Boolean(_)) | (Kind::Task, Value::Text(_)) => Ok(value.clone()),
            (Kind::Choice(names), Value::Text(name)) => {
                if names.contains(&name.as_ref()) {
                    return Ok(value.clone());
                }
                let hint = crate::error::did_you_mean(name, names.iter().copied());
                Err(format!("\"{name}\" is not one of {}{hint}", names.join(", ")))
            }
            _ => Err(format!(
                "expected {}, found {} ({value})",
                definition.kind.in_words(),
                value.type_name()
            )),
        }
    }
}

fn check_integer(number: i64, min: i64, max: i64) -> Result<Value, String> {
    if (min..=max).contains(&number) {
        return Ok(Value::Integer(number));
    }
    Err(format!("{number} is out of range: expected an integer from {min} to {max}"))
}

fn check_float(number: f64, min: f64, max: f64, above_min: bool) -> Result<Value, String> {
    let above = if above_min { number > min } else { number >= min };
    if above && number <= max {
        return Ok(Value::Float(number));
    }
    let lower = if above_min { "greater than" } else { "at least" };
    let expectation = if max == f64::MAX {
        format!("a finite number {lower} {min}")
    } else {
        format!("a number {lower} {min} and at most {max}")
    };
    Err(format!("{number} is out of range: expected {expectation}"))
}

impl Kind {
    /// What values are allowed, in words: "an integer from 1 to 64".
    pub fn in_words(&self) -> String {
        match self {
            Kind::Integer { min, max } => format!("an integer from {min} to {max}"),
            Kind::Float { min, max, above_min } => {
                let lower = if *above_min { "greater than" } else { "at least" };
                if *max == f64::MAX {
                    format!("a number {lower} {min}")
                } else {
                    format!("a number {lower} {min} and at most {max}")
                }
            }
            Kind::Boolean => "true or false".to_owned(),
            Kind::Choice(names) => format!("one of {}", names.join(", ")),
            Kind::Task => "a task's name".to_owned(),
        }
    }

    /// Whether the values are numbers, so that ranges and logarithms make sense.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Kind::Integer { .. } | Kind::Float { .. })
    }
}

/// A Rust type that can hold a hyperparameter.
pub(crate) trait HyperparameterType: Sized {
    fn to_value(&self) -> Value;
    fn from_value(value: &Value) -> Option<Self>;
}

impl HyperparameterType for i64 {
    fn to_value(&self) -> Value {
        Value::Integer(*self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

impl HyperparameterType for f64 {
    fn to_value(&self) -> Value {
        Value::Float(*self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        value.as_number()
    }
}

impl HyperparameterType for bool {
    fn to_value(&self) -> Value {
        Value::Boolean(*self)
    }
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Boolean(flag) => Some(*flag),
            _ => None,
        }
    }
}

impl HyperparameterType for Arc<str> {
    fn to_value(&self) -> Value {
        Value::Text(Arc::clone(self))
    }
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(Arc::clone(text)),
            _ => None,
        }
    }
}

macro_rules! hyperparameters {
    ($($name:ident: $type:ty = $default:expr, $kind:expr, $role:ident $(of [$($task:ident),+])?, $unit:literal, $presence:ident, $description:literal;)+) => {
        /// One trial: a value for every hyperparameter.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Hyperparameters { $(#[doc = $description] pub $name: $type),+ }

        impl Default for Hyperparameters {
            fn default() -> Self { Self { $($name: $default),+ } }
        }

        /// Every hyperparameter, in column order.
        pub const HYPERPARAMETERS: &[Hyperparameter] = &[$(Hyperparameter {
            name: stringify!($name),
            kind: $kind,
            fusable: hyperparameters!(@fusable $role),
            unit: $unit,
            description: $description,
            presence: Presence::$presence,
            tasks: &[$($(DrawnTask::$task),+)?],
        }),+];

        impl Hyperparameters {
            /// The value of one hyperparameter.
            pub fn get(&self, id: HyperparameterId) -> Value {
                let getters: &[fn(&Self) -> Value] = &[$(|trial| trial.$name.to_value()),+];
                getters[id.0](self)
            }

            /// Sets one hyperparameter; false if the value has the wrong type (ranges are
            /// checked by [`HyperparameterId::check`], before).
            pub fn set(&mut self, id: HyperparameterId, value: &Value) -> bool {
                let setters: &[fn(&mut Self, &Value) -> bool] = &[$(|trial, value| {
                    match <$type as HyperparameterType>::from_value(value) {
                        Some(converted) => { trial.$name = converted; true }
                        None => false,
                    }
                }),+];
                setters[id.0](self, value)
            }
        }
    };
    (@fusable shape) => { false };
    (@fusable fusable) => { true };
}

const fn positive() -> Kind {
    Kind::Float { min: 0.0, max: f64::MAX, above_min: true }
}

const fn share_below(max: f64) -> Kind {
    Kind::Float { min: 0.0, max, above_min: false }
}

const fn integer(min: i64, max: i64) -> Kind {
    Kind::Integer { min, max }
}

/// Seeds stay within what every reader of the tables can represent exactly.
const MAX_SEED: i64 = 1 << 53;

hyperparameters! {
    task: Arc<str> = "digits".into(), Kind::Task, shape, "", Always,
        "What is learned: a built-in task or idx:<dir>.";
    train_samples: i64 = 0, integer(0, 1_000_000_000), shape, "rows", Always,
        "Training rows, a class-balanced subset drawn by data_seed; 0 takes every training row of the task.";
    label_noise: f64 = 0.0, share_below(1.0), fusable, "share", Always,
        "Share of training labels replaced by a uniformly drawn other class.";
    data_seed: i64 = 0, integer(0, MAX_SEED), fusable, "", Always,
        "Seed of the training subset and of the label noise; where the task is drawn, of its data too.";
    depth: i64 = 2, integer(1, 1_000), shape, "layers", Always,
        "Hidden layers D; the output layer is not counted.";
    width: i64 = 32, integer(1, 65_536), shape, "units", Always,
        "Units in each hidden layer.";
    activation: Activation = Activation::Relu, Kind::Choice(Activation::NAMES), shape, "", Always,
        "Nonlinearity f of the hidden units.";
    init: Init = Init::FanInUniform, Kind::Choice(Init::NAMES), shape, "", Always,
        "Distribution of weights and biases at step 0.";
    init_scale: f64 = 1.0, positive(), fusable, "", Always,
        "Factor on every initial weight and bias, output layer included.";
    batch_norm: bool = false, Kind::Boolean, shape, "", Always,
        "Batch normalisation between W and f in every hidden layer.";
    batch_norm_momentum: f64 = 0.1, Kind::Float { min: 0.0, max: 1.0, above_min: true }, shape, "share", Always,
        "Share alpha of the batch in the running statistics of batch norm.";
    loss: Loss = Loss::CrossEntropy, Kind::Choice(Loss::NAMES), shape, "", Always,
        "Training loss, a mean over the minibatch.";
    optimizer: Optimizer = Optimizer::Sgd, Kind::Choice(Optimizer::NAMES), shape, "", Always,
        "Update rule.";
    learning_rate: f64 = 0.1, positive(), fusable, "", Always,
        "Learning rate, constant over the steps.";
    momentum: f64 = 0.0, Kind::Float { min: 0.0, max: 0.999999, above_min: false }, fusable, "", Always,
        "Momentum of SGD (no dampening, not Nesterov); must be 0 with adam and adamw.";
    weight_decay: f64 = 0.0, share_below(f64::MAX), fusable, "", Always,
        "Weight decay on all parameters; coupled with sgd and adam, decoupled with adamw.";
    batch_size: i64 = 32, integer(1, 10_000_000), shape, "rows", Always,
        "Rows in a minibatch.";
    steps: i64 = 500, integer(0, 1_000_000_000), shape, "steps", Always,
        "Updates of the parameters.";
    seed: i64 = 0, integer(0, MAX_SEED), fusable, "", Always,
        "Seed of the initialisation and of the data order.";
    task_classes: i64 = 10, integer(2, 100), shape of [GaussianMixture, TeacherStudent], "classes", WhenNotDefault,
        "Classes K of gaussian-mixture and teacher-student; null for other tasks.";
    task_dimension: i64 = 64, integer(1, 1_024), shape of [GaussianMixture, TeacherStudent], "", WhenNotDefault,
        "Input dimension of gaussian-mixture and teacher-student; null for other tasks.";
    task_separation: f64 = 4.0, share_below(1_000.0), shape of [GaussianMixture], "noise sd", WhenNotDefault,
        "Distance between two class means of gaussian-mixture, in standard deviations of the noise; null for other tasks.";
    task_teacher_depth: i64 = 2, integer(0, 8), shape of [TeacherStudent], "layers", WhenNotDefault,
        "Hidden layers of the teacher of teacher-student, 0 for a linear one; null for other tasks.";
    task_teacher_width: i64 = 32, integer(1, 256), shape of [TeacherStudent], "units", WhenNotDefault,
        "Units in each hidden layer of the teacher of teacher-student; null for other tasks.";
    task_p: i64 = 97, integer(2, 200), shape of [ModularAddition], "", WhenNotDefault,
        "Modulus p of modular-addition, which has p classes and p^2 pairs; null for other tasks.";
    task_train_share: f64 = 0.5, Kind::Float { min: 0.0, max: 0.99, above_min: true }, shape of [ModularAddition], "share", WhenNotDefault,
        "Share of the p^2 pairs that modular-addition trains on, the others test; null for other tasks.";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> HyperparameterId {
        HyperparameterId::from_name(name).expect("known name")
    }

    #[test]
    fn every_default_is_allowed_and_survives_get_and_set() {
        for id in HyperparameterId::all() {
            let default = id.default_value();
            assert_eq!(id.check(&default).as_ref(), Ok(&default), "{}", id.name());
            assert!(Hyperparameters::default().set(id, &default));
        }
    }

    #[test]
    fn whole_floats_are_integers_and_integers_are_floats() {
        assert_eq!(id("depth").check(&Value::Float(3.0)), Ok(Value::Integer(3)));
        assert_eq!(id("learning_rate").check(&Value::Integer(1)), Ok(Value::Float(1.0)));
        assert!(id("depth").check(&Value::Float(1.5)).is_err());
    }

    #[test]
    fn out_of_range_values_say_what_is_allowed() {
        let message = id("learning_rate").check(&Value::Float(0.0)).expect_err("refused");
        assert_eq!(message, "0 is out of range: expected a finite number greater than 0");
        let message = id("width").check(&Value::Integer(0)).expect_err("refused");
        assert_eq!(message, "0 is out of range: expected an integer from 1 to 65536");
        let message = id("activation").check(&Value::Text("rellu".into())).expect_err("refused");
        assert!(message.contains("did you mean \"relu\"?"), "{message}");
    }

    #[test]
    fn the_fusable_hyperparameters_are_those_of_the_design() {
        let fusable: Vec<&str> =
            HYPERPARAMETERS.iter().filter(|one| one.fusable).map(|one| one.name).collect();
        assert_eq!(
            fusable,
            [
                "label_noise",
                "data_seed",
                "init_scale",
                "learning_rate",
                "momentum",
                "weight_decay",
                "seed"
            ]
        );
    }
}
