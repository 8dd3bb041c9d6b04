//! The forms an answer can have.

use clap::ValueEnum;

/// How a listing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputForm {
    Table,
    Csv,
    Json,
    Parquet,
}

/// How a text listing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextForm {
    Table,
    Json,
}
