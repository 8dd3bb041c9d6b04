//! `phasegrid phase`: one phase diagram.

use crate::arguments::PhaseOptions;
use crate::failure::Failure;
use phasegrid_analyze::{PhaseRequest, check_output, open_store, phase, write_diagram};

pub(crate) fn run(options: &PhaseOptions) -> Result<(), Failure> {
    for path in &options.out {
        check_output(path)?;
    }
    let store = open_store(&options.store)?;
    let request = PhaseRequest {
        x: options.x.clone(),
        y: options.y.clone(),
        facet: options.facet.clone(),
        value: options.value.clone(),
        layer: options.layer,
        step: options.step,
        stat: options.stat,
        sweep: options.sweep.clone(),
        condition: options.condition.clone(),
        over: options.over.clone(),
        against: options.against.clone(),
    };
    let diagram = phase(&store, &request)?;
    for path in &options.out {
        write_diagram(&diagram, path)?;
        println!("{}", path.display());
    }
    Ok(())
}
