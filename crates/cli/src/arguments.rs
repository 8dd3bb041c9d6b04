//! The command line's shape. Help texts of hyperparameters, metrics and tasks come from their
//! registries, not from here.

use crate::cluster_arguments::ClusterCommand;
use crate::forms::{OutputForm, TextForm};
use clap::{Args, Parser, Subcommand};
use phasegrid_analyze::{Against, AxisScale, CurveLayer, LayerPick, Stat, StepPick};
use phasegrid_worker::Device;
use std::path::PathBuf;

/// Maps the phases of deep learning: trains a grid of networks, measures how each computes, and
/// draws phase diagrams.
///
/// Exit codes: 0 done (divergence is a result), 1 failed or cancelled work, 2 bad usage or sweep
/// file, 3 infrastructure.
#[derive(Parser)]
#[command(name = "phasegrid", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Train a sweep on this machine and draw its phase diagrams
    #[command(after_long_help = hyperparameter_help())]
    Run(RunOptions),
    /// Draw a phase diagram from the tables of a store
    Phase(PhaseOptions),
    /// Draw a measured value against the training step, with a band over seeds
    Curve(CurveOptions),
    /// Draw the rank probability distribution of every layer, beside the linear network's
    Rpd(RpdOptions),
    /// Ask the tables of a store in SQL
    Query(QueryOptions),
    /// Show one trial: its hyperparameters, result and layers
    Show(ShowOptions),
    /// Write few large sorted files beside the shards of a store, for faster reading
    Compact(CompactOptions),
    /// What each metric and column means
    Metrics(MetricsOptions),
    /// The tasks there are
    Tasks(TasksOptions),
    #[command(flatten)]
    Cluster(ClusterCommand),
}

impl Command {
    /// Whether the command runs trainers or serves others, so that no signal may end it unawares.
    pub(crate) fn keeps_processes(&self) -> bool {
        use ClusterCommand::{Coordinator, Worker};
        matches!(self, Command::Run(_) | Command::Cluster(Coordinator(_) | Worker(_)))
    }
}

/// Options of `run`.
#[derive(Args)]
pub(crate) struct RunOptions {
    /// The sweep file (TOML)
    pub(crate) file: PathBuf,
    /// Folder of the store: new, empty, or a store already. Running again goes on where it stopped
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Trainers at work at once; if not given one a processor, or one on a GPU
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) workers: Option<u32>,
    /// cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu")]
    pub(crate) device: Device,
    /// Folder of IDX data, for the tasks mnist and idx:<dir>
    #[arg(long, value_name = "DIR", env = "PHASEGRID_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Memory one trainer may use, in MiB; an even share of what is free if not given
    #[arg(long, value_name = "MIB")]
    pub(crate) memory: Option<u64>,
    /// Port of the embedded coordinator on 127.0.0.1; a free one if not given
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,
    /// The program phasegrid-trainer; the one beside phasegrid if not given
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) trainer: Option<PathBuf>,
    /// Draw no figures at the end
    #[arg(long)]
    pub(crate) no_figures: bool,
    /// Take over a sweep of this name that another coordinator began in the same store
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Allow a sweep that saves more than 100,000 weight files
    #[arg(long)]
    pub(crate) many_weight_files: bool,
}

/// Options of `phase`.
#[derive(Args)]
pub(crate) struct PhaseOptions {
    /// Folder of the store
    pub(crate) store: PathBuf,
    /// Hyperparameter along the horizontal axis
    #[arg(long)]
    pub(crate) x: String,
    /// Hyperparameter along the vertical axis
    #[arg(long)]
    pub(crate) y: String,
    /// Column to show; `phasegrid metrics` lists them
    #[arg(long)]
    pub(crate) value: String,
    /// Hyperparameter with a panel for each of its values
    #[arg(long)]
    pub(crate) facet: Option<String>,
    /// first, last, mean or a number, for columns of the table layers
    #[arg(long)]
    pub(crate) layer: Option<LayerPick>,
    /// last or a step, for columns of the tables layers and history
    #[arg(long)]
    pub(crate) step: Option<StepPick>,
    /// mean, std or median over seeds
    #[arg(long)]
    pub(crate) stat: Option<Stat>,
    /// The sweep; needed where the store holds several
    #[arg(long, value_name = "NAME")]
    pub(crate) sweep: Option<String>,
    /// SQL condition on the columns, such as "depth = 2 AND batch_size = 32"
    #[arg(long = "where", value_name = "EXPR")]
    pub(crate) condition: Option<String>,
    /// Hyperparameter the statistic runs over, beside the seeds; may be repeated
    #[arg(long, value_name = "AXIS")]
    pub(crate) over: Vec<String>,
    /// Show differences from the trials that have this value, all else and the seeds equal:
    /// width=8, or width=previous for the value before
    #[arg(long, value_name = "AXIS=VALUE")]
    pub(crate) against: Option<Against>,
    /// The figure or table to write: .svg .png .pdf .csv .parquet; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) out: Vec<PathBuf>,
}

/// Options of `curve`.
#[derive(Args)]
pub(crate) struct CurveOptions {
    /// Folder of the store
    pub(crate) store: PathBuf,
    /// Column of the tables layers or history; `phasegrid metrics` lists them
    #[arg(long)]
    pub(crate) value: String,
    /// Hyperparameter with one line a value
    #[arg(long, value_name = "HYPERPARAMETER")]
    pub(crate) by: Option<String>,
    /// Hyperparameter with a panel for each of its values, or layer
    #[arg(long)]
    pub(crate) facet: Option<String>,
    /// all (one line a layer), first, last, mean or a number, for columns of the table layers
    #[arg(long)]
    pub(crate) layer: Option<CurveLayer>,
    /// mean (band: 95 % t-interval), median (band: quartiles) or std over seeds
    #[arg(long)]
    pub(crate) stat: Option<Stat>,
    /// Scale of the steps: auto (log where they span decades), linear or log; log shows step 0
    #[arg(long, value_name = "SCALE", default_value = "auto")]
    pub(crate) x_scale: AxisScale,
    /// Scale of the values: auto, linear or log
    #[arg(long, value_name = "SCALE", default_value = "auto")]
    pub(crate) y_scale: AxisScale,
    /// The sweep; needed where the store holds several
    #[arg(long, value_name = "NAME")]
    pub(crate) sweep: Option<String>,
    /// SQL condition on the columns, such as "depth = 2 AND batch_size = 32"
    #[arg(long = "where", value_name = "EXPR")]
    pub(crate) condition: Option<String>,
    /// Hyperparameter the statistic runs over, beside the seeds; may be repeated
    #[arg(long, value_name = "AXIS")]
    pub(crate) over: Vec<String>,
    /// The figure or table to write: .svg .png .pdf .csv .parquet; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) out: Vec<PathBuf>,
}

/// Options of `rpd`.
#[derive(Args)]
pub(crate) struct RpdOptions {
    /// Folder of the store
    pub(crate) store: PathBuf,
    /// One trial: its id, or the first digits
    #[arg(long, value_name = "ID", conflicts_with = "condition")]
    pub(crate) trial: Option<String>,
    /// SQL condition on the columns, such as "depth = 4 AND learning_rate = 0.1"
    #[arg(long = "where", value_name = "EXPR")]
    pub(crate) condition: Option<String>,
    /// last or a step
    #[arg(long)]
    pub(crate) step: Option<StepPick>,
    /// Hyperparameter with one line a value in every panel, or step for the course of training
    #[arg(long, value_name = "HYPERPARAMETER")]
    pub(crate) by: Option<String>,
    /// The sweep; needed where the store holds several
    #[arg(long, value_name = "NAME")]
    pub(crate) sweep: Option<String>,
    /// Hyperparameter the mean runs over, beside the seeds; may be repeated
    #[arg(long, value_name = "AXIS")]
    pub(crate) over: Vec<String>,
    /// The figure or table to write: .svg .png .pdf .csv .parquet; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) out: Vec<PathBuf>,
}

/// Options of `query`.
#[derive(Args)]
pub(crate) struct QueryOptions {
    /// Folder of the store
    pub(crate) store: PathBuf,
    /// SQL over the tables trials, history, layers and basins
    pub(crate) sql: String,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = OutputForm::Table)]
    pub(crate) output: OutputForm,
}

/// Options of `show`.
#[derive(Args)]
pub(crate) struct ShowOptions {
    /// Folder of the store
    pub(crate) store: PathBuf,
    /// A trial id, or its first digits
    pub(crate) trial: String,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = TextForm::Table)]
    pub(crate) output: TextForm,
}

/// Options of `compact`.
#[derive(Args)]
pub(crate) struct CompactOptions {
    /// Folder of the store
    pub(crate) store: PathBuf,
}

/// Options of `metrics`.
#[derive(Args)]
pub(crate) struct MetricsOptions {
    /// A metric or column; all of them if not given
    pub(crate) name: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = TextForm::Table)]
    pub(crate) output: TextForm,
}

/// Options of `tasks`.
#[derive(Args)]
pub(crate) struct TasksOptions {
    /// Folder of IDX data: says which tasks have theirs
    #[arg(long, value_name = "DIR", env = "PHASEGRID_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = TextForm::Table)]
    pub(crate) output: TextForm,
}

/// Every hyperparameter with range, default and sentence, for `run --help`.
fn hyperparameter_help() -> String {
    use std::fmt::Write;
    let mut text = String::from("Hyperparameters, for [fixed] and [axes] of a sweep file:\n");
    for id in phasegrid_spec::HyperparameterId::all() {
        let definition = id.definition();
        let _ = write!(
            text,
            "\n  {}: {}, default {}\n      {}\n",
            definition.name,
            definition.kind.in_words(),
            id.default_value(),
            definition.description
        );
    }
    text.push_str("\n  epochs: a number greater than 0, in place of steps\n      Passes over the training rows; steps = ceil(epochs * training rows / batch_size).\n");
    text
}
