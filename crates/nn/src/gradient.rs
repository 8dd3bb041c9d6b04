//! A parameter's gradient as the factors it is made of, so that an optimizer can add it
//! straight into a weight or a momentum buffer: no gradient tensor is ever made for plain SGD.

use crate::arrangement::Block;
use tch::{TchError, Tensor};

/// The gradient of one parameter tensor, `[E, n, m]`.
pub(crate) trait Gradient {
    /// target += gradient
    fn add_to(&self, target: &mut Tensor) -> Result<(), TchError>;
    /// target = gradient
    fn write_to(&self, target: &mut Tensor) -> Result<(), TchError>;
}

/// The inputs of one block of the first layer.
#[derive(Debug)]
pub(crate) struct BlockInputs {
    pub(crate) block: Block,
    /// `[groups, B, n_0]`
    pub(crate) inputs: Tensor,
}

/// dL/dW = delta · inputᵀ, each trial with its own input.
pub(crate) struct Product<'a> {
    /// `[E, n, B]`
    pub(crate) delta: &'a Tensor,
    /// `[E, m, B]`
    pub(crate) input: &'a Tensor,
}

impl Gradient for Product<'_> {
    fn add_to(&self, target: &mut Tensor) -> Result<(), TchError> {
        target.f_baddbmm_(self.delta, &self.input.f_transpose(1, 2)?).map(drop)
    }
    fn write_to(&self, target: &mut Tensor) -> Result<(), TchError> {
        self.delta.f_bmm_out(target, &self.input.f_transpose(1, 2)?).map(drop)
    }
}

/// dL/dW of the first layer: the trials of a group share their input, so that their deltas
/// are stacked and one product serves the group.
pub(crate) struct SharedProduct<'a> {
    /// `[E, n, B]`
    pub(crate) delta: &'a Tensor,
    pub(crate) inputs: &'a [BlockInputs],
}

impl Gradient for SharedProduct<'_> {
    fn add_to(&self, target: &mut Tensor) -> Result<(), TchError> {
        for inputs in self.inputs {
            drop(
                inputs
                    .block
                    .part(target)?
                    .f_baddbmm_(&inputs.block.part(self.delta)?, &inputs.inputs)?,
            );
        }
        Ok(())
    }
    fn write_to(&self, target: &mut Tensor) -> Result<(), TchError> {
        for inputs in self.inputs {
            drop(
                inputs
                    .block
                    .part(self.delta)?
                    .f_bmm_out(&inputs.block.part(target)?, &inputs.inputs)?,
            );
        }
        Ok(())
    }
}

/// dL/db = sum of delta over the minibatch.
pub(crate) struct RowSum<'a> {
    /// `[E, n, B]`
    pub(crate) delta: &'a Tensor,
}

impl RowSum<'_> {
    fn sum(&self) -> Result<Tensor, TchError> {
        self.delta.f_sum_dim_intlist(&[-1i64][..], true, None)
    }
}

impl Gradient for RowSum<'_> {
    fn add_to(&self, target: &mut Tensor) -> Result<(), TchError> {
        target.f_add_(&self.sum()?).map(drop)
    }
    fn write_to(&self, target: &mut Tensor) -> Result<(), TchError> {
        target.f_copy_(&self.sum()?)
    }
}

/// A gradient that had to be made anyway (batch norm's).
pub(crate) struct Dense<'a>(pub(crate) &'a Tensor);

impl Gradient for Dense<'_> {
    fn add_to(&self, target: &mut Tensor) -> Result<(), TchError> {
        target.f_add_(self.0).map(drop)
    }
    fn write_to(&self, target: &mut Tensor) -> Result<(), TchError> {
        target.f_copy_(self.0)
    }
}
