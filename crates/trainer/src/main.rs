//! `phasegrid-trainer`: a worker's child and the only program that loads libtorch.
//!
//! Reads units from standard input, trains and measures each, and writes record batches to
//! standard output (proto/phasegrid/v1/trainer.proto). Standard error is for people. It ends
//! when its input ends: a trainer never outlives its worker.

mod evaluation;
mod libtorch;
mod memory;
mod metric_rows;
mod pipe;
mod recorder;
mod rows;
mod unit;
mod weights;

use clap::Parser;
use phasegrid_proto::v1::{Failed, FailureCause, Ready, trainer_reply, trainer_request};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

/// Trains units of a phasegrid sweep. Started by `phasegrid worker` and `phasegrid run`, which
/// speak to it over pipes; it is of no use from a shell.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// cpu, cuda or cuda:N
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Name of the worker, for the tables
    #[arg(long, default_value = "")]
    worker: String,
    /// Folder of IDX data
    #[arg(long, env = "PHASEGRID_DATA")]
    data: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let replies = pipe::Replies::new();
    let device = match libtorch::prepare(&arguments.device) {
        Ok(device) => device,
        Err(error) => {
            let failed =
                Failed { cause: FailureCause::Refused as i32, message: format!("{error:#}") };
            let _ = replies.send(trainer_reply::Body::Failed(failed));
            eprintln!("{error:#}");
            return ExitCode::from(3);
        }
    };
    let ready = Ready { libtorch_version: libtorch::version(), device: arguments.device.clone() };
    if replies.send(trainer_reply::Body::Ready(ready)).is_err() {
        return ExitCode::SUCCESS;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let units = listen(Arc::clone(&stop));
    let mut trainer =
        unit::UnitTrainer::new(arguments.data, arguments.worker, arguments.device, device);
    for unit in units {
        stop.store(false, Ordering::Relaxed);
        let end = trainer.train(&unit, &stop, &replies);
        memory::give_back();
        if replies.send(end).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

/// Reads requests on a thread of its own, so that a stop reaches a unit in training, and the end
/// of the input ends the process at once: its worker is gone.
fn listen(stop: Arc<AtomicBool>) -> mpsc::Receiver<phasegrid_proto::v1::Unit> {
    let (sender, units) = mpsc::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        while let Some(request) = pipe::read_request(&mut input) {
            match request {
                trainer_request::Body::Unit(unit) => {
                    if sender.send(unit).is_err() {
                        return;
                    }
                }
                trainer_request::Body::Stop(_) => stop.store(true, Ordering::Relaxed),
            }
        }
        std::process::exit(0);
    });
    units
}
