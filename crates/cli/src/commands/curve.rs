//! `phasegrid curve`: a measured value against the training step.

use crate::arguments::CurveOptions;
use crate::failure::Failure;
use phasegrid_analyze::{CurveRequest, check_output, curve, open_store, write_curve};

pub(crate) fn run(options: &CurveOptions) -> Result<(), Failure> {
    for path in &options.out {
        check_output(path)?;
    }
    let store = open_store(&options.store)?;
    let request = CurveRequest {
        value: options.value.clone(),
        by: options.by.clone(),
        facet: options.facet.clone(),
        layer: options.layer,
        stat: options.stat,
        x_scale: options.x_scale,
        y_scale: options.y_scale,
        sweep: options.sweep.clone(),
        condition: options.condition.clone(),
        over: options.over.clone(),
    };
    let curve = curve(&store, &request)?;
    for path in &options.out {
        write_curve(&curve, path)?;
        println!("{}", path.display());
    }
    Ok(())
}
