//! `phasegrid`: the command line. It loads no libtorch and starts in milliseconds; training is
//! done by `phasegrid-trainer`, which lies beside it.

mod arguments;
mod client;
mod cluster_arguments;
mod commands;
mod compaction;
mod embedded;
mod failure;
mod forms;
mod metric_text;
mod progress;
mod report;
mod signals;
mod sweep_source;
mod time_limit;
mod worker_setup;

use arguments::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_logging();
    if !arguments.command.keeps_processes() {
        signals::end_on_closed_output();
    }
    let outcome = match arguments.command {
        Command::Run(options) => commands::run::run(&options),
        Command::Phase(options) => commands::phase::run(&options),
        Command::Curve(options) => commands::curve::run(&options),
        Command::Rpd(options) => commands::rpd::run(&options),
        Command::Query(options) => commands::query::run(&options),
        Command::Show(options) => commands::show::run(&options),
        Command::Compact(options) => commands::compact::run(&options),
        Command::Metrics(options) => commands::metrics::run(&options),
        Command::Tasks(options) => commands::tasks::run(&options),
        Command::Cluster(command) => commands::cluster::run(&command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("phasegrid: {failure}");
            failure.exit_code()
        }
    }
}

/// Logs go to standard error; PHASEGRID_LOG chooses what, as in `PHASEGRID_LOG=debug`.
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("PHASEGRID_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .init();
}
