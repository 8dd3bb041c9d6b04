//! Batch normalisation in training mode: forward with running statistics, and its derivative.

use crate::ensemble::{BATCH_NORM_EPSILON, BatchNorm};
use tch::{TchError, Tensor};

/// Overwrites `values` `[E, n, B]` with x̂ = (x - mean)/sqrt(var + eps) (ddof 0), writes
/// gamma·x̂ + beta to `normalised`, moves the running statistics by the share `momentum`
/// (variance with ddof 1), and returns 1/sqrt(var + eps).
pub(crate) fn forward(
    parameters: &mut BatchNorm,
    values: &mut Tensor,
    normalised: &mut Tensor,
    momentum: f64,
) -> Result<Tensor, TchError> {
    let batch_size = values.size()[2] as f64;
    let (var, mean) = values.f_var_mean_correction(&[-1i64][..], 0, true)?;
    drop(parameters.mean.f_lerp_(&mean, momentum)?);
    let unbiased_var = var.f_mul_scalar(batch_size / (batch_size - 1.0))?;
    drop(parameters.var.f_lerp_(&unbiased_var, momentum)?);
    let inverse_deviation = var.f_add_scalar(BATCH_NORM_EPSILON)?.f_rsqrt()?;
    drop(values.f_sub_(&mean)?.f_mul_(&inverse_deviation)?);
    drop(values.f_mul_out(normalised, &parameters.gamma)?);
    drop(normalised.f_add_(&parameters.beta)?);
    Ok(inverse_deviation)
}

/// Overwrites the derivative at gamma·x̂ + beta with that at x,
/// gamma/sqrt(var + eps) · (d - mean(d) - x̂·mean(d·x̂)), and returns those of gamma and beta,
/// sum(d·x̂) and sum(d).
pub(crate) fn backward(
    parameters: &BatchNorm,
    derivative: &mut Tensor,
    x_hat: &Tensor,
    inverse_deviation: &Tensor,
) -> Result<(Tensor, Tensor), TchError> {
    let batch_size = derivative.size()[2] as f64;
    let beta_gradient = derivative.f_sum_dim_intlist(&[-1i64][..], true, None)?;
    let gamma_gradient = derivative.f_mul(x_hat)?.f_sum_dim_intlist(&[-1i64][..], true, None)?;
    drop(derivative.f_sub_(&beta_gradient.f_div_scalar(batch_size)?)?);
    drop(derivative.f_addcmul_(x_hat, &gamma_gradient.f_div_scalar(-batch_size)?)?);
    drop(derivative.f_mul_(&parameters.gamma.f_mul(inverse_deviation)?)?);
    Ok((gamma_gradient, beta_gradient))
}
