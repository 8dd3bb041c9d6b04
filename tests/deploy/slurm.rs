//! The Slurm scripts, run with stand-ins for `srun`, `scancel` and `squeue`: a campaign with a
//! preempted worker and a coordinator that moves from one job to the next. No Slurm has seen them here.

use phasegrid_tests::{Folder, Running, SweepText, phasegrid, planned_trial_ids, shards, trials};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Becomes the step, as far as signals go, and notes its process and arguments.
const SRUN: &str = r#"#!/bin/sh
echo "$@" >>"$FAKE/srun.log"
echo $$ >"$FAKE/step-$SLURM_JOB_ID"
while case $1 in --*) true ;; *) false ;; esac; do shift; done
exec "$@"
"#;
const SCANCEL: &str = r#"#!/bin/sh
echo "$@" >>"$FAKE/scancel.log"
case $1 in
  --signal=TERM) for step in "$FAKE"/step-*; do kill -TERM "$(cat "$step")" 2>/dev/null || true; done ;;
esac
"#;
const SQUEUE: &str = "#!/bin/sh\necho 2-03:00:00\n";

struct Cluster {
    folder: Folder,
    listen: String,
}

/// A job; ended as Slurm ends one, also where a test fails.
struct Job(Option<Running>);

impl Drop for Job {
    fn drop(&mut self) {
        let Some(mut running) = self.0.take() else { return };
        for _ in 0..100 {
            if !running.is_running() {
                return;
            }
            running.signal(libc::SIGTERM);
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Job {
    fn running(&mut self) -> &mut Running {
        self.0.as_mut().expect("it was not waited for")
    }

    #[track_caller]
    fn ends_well(mut self) -> String {
        let outcome = self.0.take().expect("it was not waited for").wait().exits_with(0);
        format!("{}{}", outcome.stdout, outcome.stderr)
    }
}

impl Cluster {
    fn new() -> Cluster {
        let folder = Folder::new();
        for (name, text) in [("srun", SRUN), ("scancel", SCANCEL), ("squeue", SQUEUE)] {
            let path = folder.write(&format!("bin/{name}"), text);
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("ours");
        }
        std::fs::create_dir(folder.join("fake")).expect("a new folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let listen = listener.local_addr().expect("an address").to_string();
        Cluster { folder, listen }
    }

    fn run(&self) -> PathBuf {
        self.folder.join("run")
    }

    fn store(&self) -> PathBuf {
        self.run().join("store")
    }

    fn job(&self, script: &str, id: u32, arguments: &[&Path]) -> Command {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/slurm");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command.arg(scripts.join(script)).args(arguments);
        command
            .env("PATH", format!("{}:{path}", self.folder.join("bin").display()))
            .env("FAKE", self.folder.join("fake"))
            .env("PHASEGRID", phasegrid().get_program())
            .env("PHASEGRID_RUN", self.run())
            .env("PHASEGRID_LOCAL", self.folder.join("node"))
            .env("PHASEGRID_LISTEN", &self.listen)
            .env("PHASEGRID_WAIT", "50")
            .env("SLURM_JOB_ID", id.to_string());
        for name in
            ["PHASEGRID_DATA", "PHASEGRID_TOKEN", "PHASEGRID_COORDINATOR", "PHASEGRID_STORE"]
        {
            command.env_remove(name);
        }
        command
    }

    fn coordinator(&self, id: u32, sweep: &Path) -> Job {
        Job(Some(Running::start(&mut self.job("coordinator.sbatch", id, &[sweep]))))
    }

    fn worker(&self, id: u32) -> Job {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let mut command = self.job("workers.sbatch", id, &[]);
        command
            .env("SLURM_ARRAY_JOB_ID", "200")
            .env("SLURM_CPUS_PER_TASK", "1")
            .env("SLURM_MEM_PER_NODE", "4096")
            .env("SLURM_JOB_END_TIME", (now + 3_600).to_string());
        Job(Some(Running::start(&mut command)))
    }

    fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join("fake").join(name)).unwrap_or_default()
    }
}

#[test]
fn a_campaign_outlives_a_preempted_worker_and_the_job_of_its_coordinator() {
    let cluster = Cluster::new();
    let sweep = SweepText::new("campaign")
        .fixed("steps = 3000\ndepth = 1\n")
        .axes("width = [2, 3, 4, 5, 6, 7]\nseed = { range = [0, 2] }\n");
    let file = cluster.folder.write("s.toml", sweep.text());

    // Workers may start first: they wait for the address.
    let mut worker = cluster.worker(201);
    let mut coordinator = cluster.coordinator(100, &file);
    let is_published = || !shards(&cluster.store(), "trials").is_empty();
    assert!(coordinator.running().runs_until(is_published), "it ended before a unit was published");
    let mode = std::fs::metadata(cluster.run().join("token")).expect("a token").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);

    // Preempted: the step gets SIGTERM.
    worker.running().signal(libc::SIGTERM);
    worker.ends_well();
    // And the coordinator's job has used up its time.
    assert!(!cluster.run().join("state").exists(), "the log is on the node");
    coordinator.running().signal(libc::SIGTERM);
    coordinator.ends_well();
    assert!(cluster.run().join("state/coordinator.sqlite").is_file(), "the log was carried over");
    assert!(!cluster.run().join("address").exists(), "nobody serves");
    let before = shards(&cluster.store(), "trials");
    assert!((1..6).contains(&before.len()), "{} of 6 units: not in the middle", before.len());

    let coordinator = cluster.coordinator(101, &file);
    let worker = cluster.worker(202);
    coordinator.ends_well();
    // Ended with the campaign, by the coordinator's job.
    worker.ends_well();
    assert!(
        cluster.log("scancel.log").contains("--signal=TERM 200"),
        "{}",
        cluster.log("scancel.log")
    );
    let steps = cluster.log("srun.log");
    assert!(steps.contains("--device cpu --slots 1 --memory 3584 --time-limit 34"), "{steps}");
    let token = std::fs::read_to_string(cluster.run().join("token")).expect("a token");
    assert!(token.len() == 64 && !steps.contains(&token), "the token is on no command line");

    let mut ids: Vec<String> =
        trials(&cluster.store(), "campaign").into_iter().map(|row| row.trial_id).collect();
    ids.sort();
    assert_eq!(ids, planned_trial_ids(&[&sweep]));
    let after = shards(&cluster.store(), "trials");
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "trained twice");
}

#[test]
fn a_token_that_others_may_read_is_refused() {
    let cluster = Cluster::new();
    let token = cluster.folder.write("run/token", "secret");
    cluster.folder.write("run/address", "http://127.0.0.1:1");
    std::fs::set_permissions(token, PermissionsExt::from_mode(0o644)).expect("ours");
    for script in ["coordinator.sbatch", "workers.sbatch"] {
        let outcome = Running::start(&mut cluster.job(script, 1, &[])).wait().exits_with(2);
        assert!(outcome.stderr.contains("chmod 600"), "{}", outcome.stderr);
    }
}
