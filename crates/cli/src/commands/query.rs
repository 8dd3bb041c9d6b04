//! `phasegrid query`: SQL over the tables.

use crate::arguments::QueryOptions;
use crate::failure::Failure;
use crate::forms::OutputForm;
use phasegrid_analyze::{RowFormat, open_store, query, write_rows};
use std::io::Write;

pub(crate) fn run(options: &QueryOptions) -> Result<(), Failure> {
    let store = open_store(&options.store)?;
    let mut frame = query(&store, &options.sql)?;
    let form = match options.output {
        OutputForm::Table => RowFormat::Table,
        OutputForm::Csv => RowFormat::Csv,
        OutputForm::Json => RowFormat::Json,
        OutputForm::Parquet => RowFormat::Parquet,
    };
    let mut bytes = Vec::new();
    write_rows(&mut frame, form, &mut bytes)?;
    match std::io::stdout().lock().write_all(&bytes) {
        // Whoever stopped reading (head, less) wanted no more.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::infrastructure(error))
        }
        _ => Ok(()),
    }
}
