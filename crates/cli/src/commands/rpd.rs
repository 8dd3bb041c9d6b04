//! `phasegrid rpd`: rank probability distributions by layer.

use crate::arguments::RpdOptions;
use crate::failure::Failure;
use phasegrid_analyze::{RpdRequest, check_output, open_store, rpd, write_rpd};

pub(crate) fn run(options: &RpdOptions) -> Result<(), Failure> {
    for path in &options.out {
        check_output(path)?;
    }
    let store = open_store(&options.store)?;
    let request = RpdRequest {
        trial: options.trial.clone(),
        step: options.step,
        by: options.by.clone(),
        sweep: options.sweep.clone(),
        condition: options.condition.clone(),
        over: options.over.clone(),
    };
    let distribution = rpd(&store, &request)?;
    for path in &options.out {
        write_rpd(&distribution, path)?;
        println!("{}", path.display());
    }
    Ok(())
}
