//! An ensemble in training: parameters, optimizer state and everything a step needs, for some
//! trials of a unit. A run can be narrowed to some of its trials, also from an earlier state.

use crate::arrangement::Arrangement;
use crate::checkpoint::SavedTensor;
use crate::data_order::DataOrder;
use crate::ensemble::{Ensemble, host_f32};
use crate::error::NnError;
use crate::gradient::BlockInputs;
use crate::loss;
use crate::minibatch::{Stretch, TrainingData};
use crate::optimizer;
use crate::pass::Pass;
use crate::update_rule::UpdateRule;
use phasegrid_spec::Hyperparameters;
use std::rc::Rc;
use tch::{Kind, Tensor};

pub(crate) struct Run {
    /// In ensemble order.
    trials: Vec<Hyperparameters>,
    arrangement: Arrangement,
    data: Rc<TrainingData>,
    order: DataOrder,
    pub(crate) ensemble: Ensemble,
    rule: Box<dyn UpdateRule>,
    pass: Pass,
    /// Inputs of one update, `[groups * B, n_0]`, and views of it, one a block.
    inputs: Tensor,
    blocks: Vec<BlockInputs>,
    /// Factor on the derivative of the summed loss, `[E, 1, 1]`.
    derivative_scale: Tensor,
    /// Sum of the minibatches' summed losses since it was last cleared, `[E, 1, 1]`.
    loss_sum: Tensor,
    stretch: Option<Stretch>,
}

impl Run {
    /// A run of `trials` (in ensemble order) from the parameters in `ensemble`, which it takes
    /// over, and fresh optimizer state.
    pub(crate) fn new(
        trials: Vec<Hyperparameters>,
        data: Rc<TrainingData>,
        ensemble: Ensemble,
    ) -> Result<Run, NnError> {
        let shape = trials.first().ok_or(NnError::NoTrials)?;
        let batch_size = shape.batch_size;
        let arrangement = Arrangement::of(&trials);
        let rule = optimizer::for_trials(&trials, &ensemble)?;
        let pass = Pass::new(&ensemble, batch_size, shape.batch_norm_momentum)?;
        let inputs = data.input_buffer(&arrangement)?;
        let mut blocks = Vec::new();
        for block in &arrangement.blocks {
            let (start, groups) = (block.groups.start as i64, block.groups.len() as i64);
            let rows = inputs.f_narrow(0, start * batch_size, groups * batch_size)?;
            blocks.push(BlockInputs {
                block: block.clone(),
                inputs: rows.f_view([groups, batch_size, -1])?,
            });
        }
        let options = (Kind::Float, ensemble.device());
        let ones = Tensor::f_ones([trials.len() as i64, 1, 1], options)?;
        let mean_factor = loss::derivative_factor(shape.loss, batch_size, ensemble.classes());
        let derivative_scale = rule.gradient_factor().unwrap_or(&ones).f_mul_scalar(mean_factor)?;
        Ok(Run {
            order: data.data_order(),
            loss_sum: ones.f_zeros_like()?,
            trials,
            arrangement,
            data,
            ensemble,
            rule,
            pass,
            inputs,
            blocks,
            derivative_scale,
            stretch: None,
        })
    }

    /// The run of the trials at `positions` (increasing), continued from `state`, a copy of
    /// what [`state`](Self::state) gave.
    pub(crate) fn select(&self, positions: &[i64], state: &[Tensor]) -> Result<Run, NnError> {
        let trials =
            positions.iter().map(|&position| self.trials[position as usize].clone()).collect();
        let run = Run::new(trials, Rc::clone(&self.data), self.ensemble.select(positions))?;
        let index = Tensor::f_from_slice(positions)?.f_to_device(self.ensemble.device())?;
        for (mut own, saved) in run.state().into_iter().zip(state) {
            own.f_copy_(&saved.f_index_select(0, &index)?)?;
        }
        Ok(run)
    }

    /// Handles on all that outlives a step: parameters, running statistics, optimizer state.
    pub(crate) fn state(&self) -> Vec<Tensor> {
        let mut state = self.ensemble.parameters();
        for batch_norm in self.ensemble.layers.iter().filter_map(|layer| layer.batch_norm.as_ref())
        {
            state.extend([batch_norm.mean.shallow_clone(), batch_norm.var.shallow_clone()]);
        }
        state.extend(self.rule.state());
        state
    }

    /// A copy of [`state`](Self::state) on the host.
    pub(crate) fn save(&self) -> Vec<SavedTensor> {
        let saved =
            |tensor: &Tensor| SavedTensor { shape: tensor.size(), values: host_f32(tensor) };
        self.state().iter().map(saved).collect()
    }

    /// Takes over what [`save`](Self::save) gave for a run of the same trials.
    pub(crate) fn restore(&mut self, saved: &[SavedTensor]) -> Result<(), NnError> {
        let state = self.state();
        let fits = |(own, saved): (&Tensor, &SavedTensor)| {
            own.size() == saved.shape && own.numel() == saved.values.len()
        };
        if state.len() != saved.len() || !state.iter().zip(saved).all(fits) {
            return Err(NnError::Checkpoint("its tensors have other shapes"));
        }
        for (mut own, saved) in state.into_iter().zip(saved) {
            own.f_copy_(&Tensor::f_from_slice(&saved.values)?.f_view(saved.shape.as_slice())?)?;
        }
        Ok(())
    }

    /// The most updates that [`prepare`](Self::prepare) should be asked for at once.
    pub(crate) fn max_stretch(&self) -> i64 {
        self.data.max_stretch(&self.arrangement)
    }

    /// Draws the minibatches of updates `first_step..=last_step`.
    pub(crate) fn prepare(&mut self, first_step: i64, last_step: i64) -> Result<(), NnError> {
        let stretch =
            self.data.stretch(&self.arrangement, &mut self.order, first_step, last_step)?;
        self.stretch = Some(stretch);
        Ok(())
    }

    /// Update number `step`, one of those prepared.
    pub(crate) fn step(&mut self, step: i64) -> Result<(), NnError> {
        let Some(stretch) = &self.stretch else { return Ok(()) };
        let targets = self.data.gather(stretch, step, &mut self.inputs)?;
        self.pass.forward(&mut self.ensemble, &self.blocks)?;
        let Pass { logits, .. } = &mut self.pass;
        let kind = self.ensemble.loss;
        loss::backward(
            kind,
            logits,
            &targets,
            &self.arrangement.blocks,
            &self.derivative_scale,
            &mut self.loss_sum,
        )?;
        self.rule.begin_step(step);
        self.pass.backward(&mut self.ensemble, &self.blocks, self.rule.as_mut())?;
        Ok(())
    }

    /// Forgets the losses seen so far.
    pub(crate) fn clear_losses(&mut self) -> Result<(), NnError> {
        drop(self.loss_sum.f_zero_()?);
        Ok(())
    }

    /// Which trials had a non-finite loss since the losses were cleared, or have a non-finite
    /// parameter now. Cheap: sums, of which a huge but finite one also raises suspicion.
    pub(crate) fn suspects(&self) -> Result<Vec<bool>, NnError> {
        let trials = self.trials.len() as i64;
        let mut total = self.loss_sum.f_view([trials])?;
        for parameter in self.ensemble.parameters() {
            let sum = parameter.f_sum_dim_intlist(&[1i64, 2][..], false, None)?;
            total = total.f_add(&sum)?;
        }
        host_flags(&total.f_isfinite()?.f_logical_not()?)
    }

    /// Which trials have a finite loss sum.
    pub(crate) fn finite_losses(&self) -> Result<Vec<bool>, NnError> {
        host_flags(&self.loss_sum.f_isfinite()?)
    }

    /// Which trials have only finite parameters.
    pub(crate) fn finite_parameters(&self) -> Result<Vec<bool>, NnError> {
        let mut all_finite: Option<Tensor> = None;
        for parameter in self.ensemble.parameters() {
            let finite = parameter.f_isfinite()?.f_flatten(1, 2)?.f_all_dim(1, false)?;
            all_finite = Some(match all_finite {
                Some(so_far) => so_far.f_logical_and(&finite)?,
                None => finite,
            });
        }
        all_finite.map_or(Ok(Vec::new()), |flags| host_flags(&flags))
    }
}

fn host_flags(flags: &Tensor) -> Result<Vec<bool>, NnError> {
    let values = host_f32(&flags.f_view([-1])?);
    Ok(values.into_iter().map(|value| value != 0.0).collect())
}
