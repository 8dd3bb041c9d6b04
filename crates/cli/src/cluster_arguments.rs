//! Arguments of the commands that speak to a coordinator, or are one.

use crate::forms::TextForm;
use crate::time_limit::parse_time_limit;
use clap::{Args, Subcommand};
use phasegrid_worker::Device;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Commands of the cluster path.
#[derive(Subcommand)]
pub(crate) enum ClusterCommand {
    /// Run a coordinator: takes sweeps from clients and gives units to workers
    Coordinator(CoordinatorOptions),
    /// Run a worker: leases units from a coordinator and trains them
    Worker(WorkerOptions),
    /// Submit a sweep file; under a known name only its new points are added
    Submit(SubmitOptions),
    /// List the sweeps of a coordinator
    List(ListOptions),
    /// How far a sweep is
    Status(SweepOptions),
    /// Follow a sweep until it is done
    Watch(SweepOptions),
    /// Wait until a sweep is done: every trial has its published row
    Wait(SweepOptions),
    /// Give out no new units of a sweep
    Pause(SweepOptions),
    /// Go on with a paused sweep
    Resume(SweepOptions),
    /// Close a sweep's open units; what is won still publishes
    Cancel(SweepOptions),
    /// Make failed trials pending again
    Retry(SweepOptions),
    /// Why a sweep, or one of its trials, is not done
    Explain(ExplainOptions),
}

/// Options of `coordinator`. The bearer token comes from PHASEGRID_TOKEN, never from the command line.
#[derive(Args)]
pub(crate) struct CoordinatorOptions {
    /// Address to listen on
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7400")]
    pub(crate) listen: SocketAddr,
    /// Folder of the scheduler's log, on a local disk
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
    /// The store: a folder that every worker reaches under the same path
    #[arg(long, value_name = "URL")]
    pub(crate) store: String,
    /// Serve plain text beyond loopback: tokens and results can be read on the way
    #[arg(long)]
    pub(crate) allow_plaintext: bool,
}

/// Options of `worker`. The bearer token comes from PHASEGRID_TOKEN, never from the command line.
#[derive(Args)]
pub(crate) struct WorkerOptions {
    /// Address of the coordinator
    #[arg(long, value_name = "URL", env = "PHASEGRID_COORDINATOR")]
    pub(crate) coordinator: String,
    /// cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu")]
    pub(crate) device: Device,
    /// Trainers at work at once; if not given one a processor, or one on a GPU
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) slots: Option<u32>,
    /// Folder of IDX data, for the tasks mnist and idx:<dir>
    #[arg(long, value_name = "DIR", env = "PHASEGRID_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Memory one trainer may use, in MiB; an even share of what is free if not given
    #[arg(long, value_name = "MIB")]
    pub(crate) memory: Option<u64>,
    /// How long this worker may live: 3600 (seconds), 90m, 1h30m, or [D-]HH:MM:SS as Slurm writes it;
    /// it gets nothing it cannot finish by then, and then ends
    #[arg(long, value_name = "DURATION", value_parser = parse_time_limit)]
    pub(crate) time_limit: Option<Duration>,
    /// The program phasegrid-trainer; the one beside phasegrid if not given
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) trainer: Option<PathBuf>,
}

/// Where the coordinator is.
#[derive(Args)]
pub(crate) struct CoordinatorAddress {
    /// Address of the coordinator
    #[arg(long = "coordinator", value_name = "URL", env = "PHASEGRID_COORDINATOR")]
    pub(crate) url: String,
}

/// Options of `submit`.
#[derive(Args)]
pub(crate) struct SubmitOptions {
    /// The sweep file (TOML)
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) coordinator: CoordinatorAddress,
    /// Folder of IDX data, where the file uses epochs or the data should be checked here
    #[arg(long, value_name = "DIR", env = "PHASEGRID_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Take over a sweep of this name that another coordinator began in the same store
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Allow a sweep that saves more than 100,000 weight files
    #[arg(long)]
    pub(crate) many_weight_files: bool,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = TextForm::Table)]
    pub(crate) output: TextForm,
}

/// Options of `list`.
#[derive(Args)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    pub(crate) coordinator: CoordinatorAddress,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = TextForm::Table)]
    pub(crate) output: TextForm,
}

/// Options of the commands about one sweep.
#[derive(Args)]
pub(crate) struct SweepOptions {
    /// The sweep's name
    pub(crate) sweep: String,
    #[command(flatten)]
    pub(crate) coordinator: CoordinatorAddress,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = TextForm::Table)]
    pub(crate) output: TextForm,
}

/// Options of `explain`.
#[derive(Args)]
pub(crate) struct ExplainOptions {
    /// The sweep's name
    pub(crate) sweep: String,
    /// A trial id; the sweep as a whole if not given
    pub(crate) trial: Option<String>,
    #[command(flatten)]
    pub(crate) coordinator: CoordinatorAddress,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = TextForm::Table)]
    pub(crate) output: TextForm,
}
