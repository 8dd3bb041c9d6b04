//! The nonlinearities f, their derivatives, applied to whole tensors.
//!
//! A new activation is a variant in `phasegrid_spec::Activation` and one arm in each function
//! here. All are elementwise, for any shape, device and floating-point type.

use phasegrid_spec::Activation;
use tch::{TchError, Tensor};

/// y = f(h), a new tensor (for the identity, a new handle on the same one).
pub fn apply(activation: Activation, pre_activation: &Tensor) -> Tensor {
    match activation {
        Activation::Relu => pre_activation.relu(),
        Activation::Tanh => pre_activation.tanh(),
        Activation::Identity => pre_activation.shallow_clone(),
        Activation::Gelu => pre_activation.gelu("none"),
        Activation::Gauss => pre_activation.square().negative().exp(),
    }
}

/// Whether f' can be computed from y alone, so that f may overwrite h.
pub(crate) fn derivative_needs_only_output(activation: Activation) -> bool {
    match activation {
        Activation::Relu | Activation::Tanh | Activation::Identity => true,
        Activation::Gelu | Activation::Gauss => false,
    }
}

/// Overwrites h with f(h); for activations whose derivative needs only the output.
pub(crate) fn apply_in_place(
    activation: Activation,
    pre_activation: &mut Tensor,
) -> Result<(), TchError> {
    match activation {
        Activation::Relu => drop(pre_activation.f_relu_()?),
        Activation::Tanh => drop(pre_activation.f_tanh_()?),
        Activation::Identity => {}
        Activation::Gelu | Activation::Gauss => {
            let output = apply(activation, pre_activation);
            pre_activation.f_copy_(&output)?;
        }
    }
    Ok(())
}

/// Writes f(h) to `output`, keeping h.
pub(crate) fn apply_into(
    activation: Activation,
    pre_activation: &Tensor,
    output: &mut Tensor,
) -> Result<(), TchError> {
    match activation {
        Activation::Relu => drop(pre_activation.f_relu_out(output)?),
        Activation::Tanh => drop(pre_activation.f_tanh_out(output)?),
        Activation::Identity => output.f_copy_(pre_activation)?,
        Activation::Gelu => drop(pre_activation.f_gelu_out(output, "none")?),
        Activation::Gauss => {
            drop(pre_activation.f_square_out(output)?);
            drop(output.f_neg_()?);
            drop(output.f_exp_()?);
        }
    }
    Ok(())
}

/// Overwrites dL/dy with dL/dh = dL/dy · f'(h). `pre_activation` is read only where
/// [`derivative_needs_only_output`] is false.
pub(crate) fn backward_in_place(
    activation: Activation,
    gradient: &mut Tensor,
    pre_activation: &Tensor,
    output: &Tensor,
) -> Result<(), TchError> {
    match activation {
        // f' = 1 where y > 0; at h = 0 it is 0, as in PyTorch.
        Activation::Relu => {
            drop(output.f_threshold_backward_grad_input(gradient, gradient, 0)?);
        }
        // f' = 1 - y²
        Activation::Tanh => {
            drop(Tensor::f_tanh_backward_grad_input(gradient, gradient, output)?);
        }
        Activation::Identity => {}
        Activation::Gelu => {
            drop(pre_activation.f_gelu_backward_grad_input(gradient, gradient, "none")?);
        }
        // f' = -2 h y
        Activation::Gauss => {
            drop(gradient.f_mul_(pre_activation)?);
            drop(gradient.f_mul_(output)?);
            drop(gradient.f_mul_scalar_(-2.0)?);
        }
    }
    Ok(())
}
