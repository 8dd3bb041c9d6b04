//! The metric "order": which units order the samples as the outputs want them (OPT) and which
//! do not (NPT), and what a theory user expects beside it. docs/metrics.md, sections 2 and 6.

use phasegrid_nn::{Ensemble, Forward};
use tch::{Device, Tensor};

use crate::classes::{Classes, Labellings};
use crate::context::Context;
use crate::error::MetricError;
use crate::host::{chunks, finite, to_nested, trials_at_a_time};
use crate::metric::Metric;
use crate::moments::{Moments, norms, relative_change};
use crate::output::{Cell, LayerColumns, MetricOutput, ResampledGradients};
use crate::rank::LayerRanks;
use crate::rank_layers::rank_layers;
use crate::signed::{
    HostMap, SignedOrder, centred, rank_density, resampled_gradients, signs_of, standard_deviation,
};
use crate::tail::{Tail, linear_tails};

/// Order-preserving and non-order-preserving units, layer by layer.
///
/// | column | range | what |
/// |---|---|---|
/// | `rpd` | list of 20, integrates to 1 | density of the rank u of class-k samples in the field signed for class k, mean over k \[P\] |
/// | `rpd_gradient` | −6…6, 0 is flat | g = mean_k g_k, g_k = 12 (mean u − 1/2) [O fit, P quantity] |
/// | `rpd_gradient_class` | list of K | g_k, null for a class absent from the probe |
/// | `rpd_gradient_se` | >= 0 | sd (ddof 0) of g over 50 within-class resamples of the probe \[O\] |
/// | `rpd_gradient_weighted` | −6…6 | mean over (i,k) of 12 (ubar_ki − 1/2), weighted by abs(M_ki)·std(y_i) \[O\] |
/// | `rpd_gradient_centred` | −6…6 | g with the signs of M_ki − mean_k M_ki \[O\] |
/// | `auc_mean` | 0…1, 1/2 is chance | mean over (i,k) of auc_ki = (ubar_ki − pi_k/2)/(1 − pi_k) \[O\] |
/// | `auc` | list of 20, integrates to 1 | density of auc_ki over (i,k) \[O\] |
/// | `opt_fraction`, `anti_fraction`, `neutral_fraction` | 0…1, sum 1 | weighted shares with auc > 0.6, < 0.4, between \[O\] |
/// | `npt_fraction` | 0…1 | 1 − `opt_fraction` \[O\] |
/// | `opt_excess` | −1…1 | `opt_fraction` − `anti_fraction` \[O\] |
/// | `opt_fraction_unweighted` | 0…1 | share of (i,k) with auc > 0.6 \[O\] |
/// | `opt_fraction_centred` | 0…1 | `opt_fraction` with M_ki − mean_k M_ki for sign and weight \[O\] |
/// | `inversion_rate`, `tie_rate` | 0…1 | of the pairs with different h, the share f inverts, ties; mean over units \[O\] |
/// | `dead_fraction` | 0…1 | share of units with y = 0 on the whole probe |
/// | `linear_r2` | 0…1 | mean over units of corr²(y, h) |
/// | `feature_change` | >= 0 | abs(y_T − y_0)/abs(y_0) on the probe |
/// | `weight_change` | >= 0 | abs(W_T − W_0)/abs(W_0), W^(l) without bias |
/// | `weight_norm` | >= 0 | abs(W^(l)), Frobenius |
/// | `participation_ratio` | >= 1 | (tr C)²/abs(C)² of y's covariance |
///
/// Null where a value does not exist: all that needs ranks where h or y is not finite, all
/// that needs signs where M^(l) is not, weighted columns where every weight is 0, AUCs where
/// one class is the whole probe, ratios to 0.
#[derive(Debug)]
pub struct Order;

const COLUMNS: &[&str] = &[
    "rpd",
    "rpd_gradient",
    "rpd_gradient_class",
    "rpd_gradient_se",
    "rpd_gradient_weighted",
    "rpd_gradient_centred",
    "auc_mean",
    "auc",
    "opt_fraction",
    "anti_fraction",
    "neutral_fraction",
    "npt_fraction",
    "opt_excess",
    "opt_fraction_unweighted",
    "opt_fraction_centred",
    "inversion_rate",
    "tie_rate",
    "dead_fraction",
    "linear_r2",
    "feature_change",
    "weight_change",
    "weight_norm",
    "participation_ratio",
];

/// Columns that need the signs of M^(l): the first so many of `COLUMNS`.
const SIGNED_COLUMNS: usize = 15;

impl Metric for Order {
    fn name(&self) -> &'static str {
        "order"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn measure(&self, context: &Context<'_>) -> Result<MetricOutput, MetricError> {
        context.validate()?;
        let (trials, depth) = (context.ensemble.len(), context.ensemble.depth());
        let labellings =
            Labellings::new(&context.probe.labels, context.probe.classes, context.probe.seed)?;
        let tails = linear_tails(context.ensemble);
        let mut layers = LayerColumns::null(COLUMNS, trials, depth);
        let mut resampled = vec![vec![None; depth]; trials];
        for chunk in
            chunks(trials, trials_at_a_time(elements_per_trial(context), &context.forward.logits))
        {
            let initial = initial_forward(context, &chunk);
            for layer in 0..depth {
                let measured =
                    measure_layer(context, &labellings, &tails[layer], &initial, layer, &chunk)?;
                for (&trial, row) in chunk.iter().zip(measured) {
                    layers.set_row(trial as usize, layer, row.cells);
                    resampled[trial as usize][layer] = row.resampled;
                }
            }
        }
        let resampled_gradients = Some(ResampledGradients { by_trial: resampled });
        Ok(MetricOutput { layers, resampled_gradients, ..MetricOutput::default() })
    }
}

/// Tensors of a layer's size held at a time, in units of its own kind: moments on the host;
/// on an accelerator also the ranks' index tensors (i64).
const LAYER_TEMPORARIES: i64 = 6;
const ACCELERATOR_LAYER_TEMPORARIES: i64 = 40;

/// Numbers held at a time for one trial: the forward pass at step 0 and a layer's temporaries.
fn elements_per_trial(context: &Context<'_>) -> i64 {
    let widths = || context.forward.activations.iter().map(|activation| activation.size()[1]);
    let widest = widths().max().unwrap_or(0);
    let temporaries = match context.forward.logits.device() {
        Device::Cpu => LAYER_TEMPORARIES,
        _ => ACCELERATOR_LAYER_TEMPORARIES,
    };
    context.probe.rows.rows() * (2 * widths().sum::<i64>() + temporaries * widest)
}

fn initial_forward(context: &Context<'_>, chunk: &[i64]) -> Forward {
    context.initial.select(chunk).forward(&context.probe.rows.select(chunk))
}

/// One row of the table `layers`.
struct Row {
    cells: Vec<Cell>,
    resampled: Option<Vec<f64>>,
}

/// The rows of one layer for consecutive trials.
fn measure_layer(
    context: &Context<'_>,
    labellings: &Labellings,
    tail: &Tail,
    initial: &Forward,
    layer: usize,
    chunk: &[i64],
) -> Result<Vec<Row>, MetricError> {
    let of_chunk = |tensor: &Tensor| tensor.narrow(0, chunk[0], chunk.len() as i64);
    let fields = of_chunk(&context.forward.pre_activations[layer]);
    let activations = of_chunk(&context.forward.activations[layer]);
    let maps = to_nested(&of_chunk(&tail.map))?;
    let signs: Vec<_> = maps.iter().map(signs_of).collect();
    let classes: Vec<&Classes> = chunk.iter().map(|&trial| labellings.of(trial as usize)).collect();

    let ranks = rank_layers(&fields, &activations, &signs, &classes)?;
    let moments = Moments::new(&fields, &activations)?;
    let feature_change = relative_change(&activations, &initial.activations[layer])?;
    let weights = Weights::new(context.ensemble, context.initial, layer, of_chunk)?;
    let row = |position: usize| {
        let ranks = ranks[position].as_ref();
        let map =
            Some(&maps[position]).filter(|map| map.iter().flatten().all(|value| value.is_finite()));
        let signed = ranks.zip(map);
        let mut cells = match signed {
            Some((ranks, map)) => {
                signed_cells(ranks, map, &moments.activation_std[position], classes[position])
            }
            None => vec![Cell::Null; SIGNED_COLUMNS],
        };
        cells.extend([
            Cell::from(ranks.and_then(|ranks| ranks.inversion_rate)),
            Cell::from(ranks.and_then(|ranks| ranks.tie_rate)),
            Cell::from(ranks.map(|ranks| ranks.dead_fraction)),
            Cell::from(moments.linear_r2[position]),
            Cell::from(feature_change[position]),
            Cell::from(weights.change[position]),
            Cell::from(weights.norm[position]),
            Cell::from(moments.participation_ratio[position]),
        ]);
        Row { cells, resampled: signed.and_then(|(ranks, _)| resampled_gradients(ranks)) }
    };
    Ok((0..chunk.len()).map(row).collect())
}

/// The first `SIGNED_COLUMNS` columns.
fn signed_cells(
    ranks: &LayerRanks,
    map: &HostMap,
    activation_std: &[f64],
    classes: &Classes,
) -> Vec<Cell> {
    let order = SignedOrder::new(ranks, map, activation_std, classes);
    let centred = SignedOrder::new(ranks, &centred(map), activation_std, classes);
    let shares = order.shares();
    let se = resampled_gradients(ranks).and_then(|gradients| standard_deviation(&gradients));
    vec![
        Cell::from(rank_density(ranks)),
        Cell::from(order.gradient()),
        Cell::List(order.gradients.clone()),
        Cell::from(se),
        Cell::from(shares.map(|shares| shares.gradient)),
        Cell::from(centred.gradient()),
        Cell::from(order.auc_mean()),
        Cell::from(order.auc_density()),
        Cell::from(shares.map(|shares| shares.opt)),
        Cell::from(shares.map(|shares| shares.anti)),
        Cell::from(shares.map(|shares| 1.0 - shares.opt - shares.anti)),
        Cell::from(shares.map(|shares| 1.0 - shares.opt)),
        Cell::from(shares.map(|shares| shares.opt - shares.anti)),
        Cell::from(order.opt_unweighted()),
        Cell::from(centred.shares().map(|shares| shares.opt)),
    ]
}

/// Norms of W^(l) for consecutive trials.
struct Weights {
    norm: Vec<Option<f64>>,
    change: Vec<Option<f64>>,
}

impl Weights {
    fn new(
        ensemble: &Ensemble,
        initial: &Ensemble,
        layer: usize,
        of_chunk: impl Fn(&Tensor) -> Tensor,
    ) -> Result<Self, MetricError> {
        let now = of_chunk(&ensemble.layers[layer].weight);
        let start = of_chunk(&initial.layers[layer].weight);
        Ok(Weights { norm: finite(&norms(&now))?, change: relative_change(&now, &start)? })
    }
}
