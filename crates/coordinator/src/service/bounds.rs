//! Bounds on requests: a bad one is answered INVALID_ARGUMENT and names the field.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::time::Duration;

use phasegrid_proto::limits;
use phasegrid_proto::v1;
use phasegrid_proto::{ServiceError, v1::ErrorKind};
use phasegrid_spec::validate_sweep_name;

use crate::commit::StagedFile;
use crate::model::{Cause, LeaseName};
use crate::scheduler::Registration;

/// A file that a client may read is one that it may send.
const _: () = assert!(phasegrid_spec::Limits::FILE_BYTES == limits::MAX_SWEEP_FILE_BYTES);

type Checked<T> = Result<T, ServiceError>;

fn ensure(holds: bool, field: &str, problem: impl Display) -> Checked<()> {
    if holds { Ok(()) } else { Err(ServiceError::bad_field(field, problem)) }
}

/// A text that is there, printable and not too long.
fn text(value: String, field: &str, longest: usize) -> Checked<String> {
    ensure(!value.is_empty(), field, "is missing")?;
    optional_text(value, field, longest)
}

fn optional_text(value: String, field: &str, longest: usize) -> Checked<String> {
    let length = value.len();
    ensure(length <= longest, field, format!("has {length} bytes, at most {longest} are allowed"))?;
    ensure(!value.chars().any(char::is_control), field, "has control characters")?;
    Ok(value)
}

fn count(found: usize, field: &str, most: usize) -> Checked<()> {
    ensure(found <= most, field, format!("has {found} entries, at most {most} are allowed"))
}

pub(super) fn sweep_name(value: String, field: &str) -> Checked<String> {
    ensure(!value.is_empty(), field, "is missing")?;
    match validate_sweep_name(&value) {
        Ok(()) => Ok(value),
        Err(error) => Err(ServiceError::bad_field(field, format!("is no sweep name: {error}"))),
    }
}

pub(super) fn sweep_file(value: &str) -> Checked<()> {
    let (length, longest) = (value.len(), limits::MAX_SWEEP_FILE_BYTES);
    ensure(
        length <= longest,
        "sweep_file",
        format!("has {length} bytes, at most {longest} are allowed"),
    )
}

pub(super) fn train_rows(value: HashMap<String, u64>) -> Checked<BTreeMap<String, u64>> {
    count(value.len(), "train_rows", limits::MAX_DATASETS)?;
    let named = |(task, rows)| Ok((text(task, "train_rows", limits::MAX_TASK_NAME)?, rows));
    value.into_iter().map(named).collect()
}

pub(super) fn owner(value: String) -> Checked<String> {
    optional_text(value, "owner", limits::MAX_OWNER)
}

pub(super) fn idempotency_key(value: String) -> Checked<String> {
    text(value, "idempotency_key", limits::MAX_IDEMPOTENCY_KEY)
}

/// A trial id: 32 hexadecimal digits, or empty.
pub(super) fn trial_id(value: String) -> Checked<String> {
    let is_id = value.len() == 32 && value.bytes().all(|digit| digit.is_ascii_hexdigit());
    ensure(value.is_empty() || is_id, "trial_id", "is not 32 hexadecimal digits")?;
    Ok(value)
}

pub(super) fn worker(value: String) -> Checked<String> {
    text(value, "worker", limits::MAX_WORKER_NAME)
}

pub(super) fn registration(request: v1::RegisterRequest) -> Checked<Registration> {
    ensure(
        (1..=limits::MAX_SLOTS).contains(&request.slots),
        "slots",
        format!("is {}, expected 1 to {}", request.slots, limits::MAX_SLOTS),
    )?;
    count(request.datasets.len(), "datasets", limits::MAX_DATASETS)?;
    let mut datasets = BTreeMap::new();
    for one in request.datasets {
        let task = text(one.task, "datasets.task", limits::MAX_TASK_NAME)?;
        let fingerprint = text(one.fingerprint, "datasets.fingerprint", limits::MAX_HASH)?;
        datasets.insert(task, fingerprint);
    }
    let seconds = request.time_limit_seconds;
    Ok(Registration {
        worker: worker(request.worker)?,
        device: text(request.device, "device", limits::MAX_DEVICE_NAME)?,
        slots: request.slots,
        slot_memory_bytes: request.slot_memory_bytes,
        datasets,
        build: optional_text(request.build, "build", limits::MAX_HASH)?,
        registry_hash: optional_text(request.registry_hash, "registry_hash", limits::MAX_HASH)?,
        // A limit beyond a century is none.
        time_limit: (1..=3_155_760_000).contains(&seconds).then(|| Duration::from_secs(seconds)),
    })
}

pub(super) fn poll(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds.min(limits::MAX_POLL_MS))
}

pub(super) fn lease(value: Option<v1::LeaseKey>, field: &str) -> Checked<LeaseName> {
    let Some(key) = value else { return Err(ServiceError::bad_field(field, "is missing")) };
    let sweep = sweep_name(key.sweep, field)?;
    Ok(LeaseName { sweep, unit: key.unit, attempt: key.attempt })
}

pub(super) fn listed_leases(found: usize) -> Checked<()> {
    count(found, "leases", limits::MAX_SLOTS as usize * 8)
}

/// A manifest whose files lie where this attempt stages, one of them the unit's `trials`.
pub(super) fn manifest(
    files: Vec<v1::StagedFile>,
    lease: &LeaseName,
    trials: u32,
) -> Checked<Vec<StagedFile>> {
    count(files.len(), "manifest", limits::MAX_STAGED_FILES)?;
    let folder = format!("_staging/{}/{}/{}/", lease.sweep, lease.unit, lease.attempt);
    let mut checked = Vec::with_capacity(files.len());
    let mut rows = 0;
    for file in files {
        let path = text(file.path, "manifest.path", limits::MAX_PATH)?;
        let name = path.strip_prefix(&folder).unwrap_or_default();
        let plain =
            !name.is_empty() && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
        ensure(plain, "manifest.path", format!("is {path}, expected a file below {folder}"))?;
        let table = text(file.table, "manifest.table", limits::MAX_TABLE_NAME)?;
        if table == "trials" {
            rows += file.rows;
        }
        let blake3 = file.blake3;
        let is_hash = blake3.len() == 64 && blake3.bytes().all(|digit| digit.is_ascii_hexdigit());
        ensure(is_hash, "manifest.blake3", "is not 64 hexadecimal digits")?;
        checked.push(StagedFile { table, path, rows: file.rows, bytes: file.bytes, blake3 });
    }
    ensure(
        rows == u64::from(trials),
        "manifest",
        format!("has {rows} rows of table trials, the unit has {trials} trials"),
    )?;
    Ok(checked)
}

/// Outcomes that add up to the unit's trials.
pub(super) fn outcomes(ok: u64, diverged: u64, trials: u32) -> Checked<(u32, u32)> {
    let sum = ok.checked_add(diverged);
    ensure(
        sum == Some(u64::from(trials)),
        "trials_ok",
        format!("and `trials_diverged` are {ok} and {diverged}, the unit has {trials} trials"),
    )?;
    // Neither is more than their sum, which fits.
    Ok((ok as u32, diverged as u32))
}

pub(super) fn cause(number: i32) -> Checked<Cause> {
    use v1::FailureCause as Named;
    match Named::try_from(number) {
        Ok(Named::Crash) => Ok(Cause::Crash),
        Ok(Named::OutOfMemory) => Ok(Cause::OutOfMemory),
        Ok(Named::Data) => Ok(Cause::Data),
        Ok(Named::Store) => Ok(Cause::Store),
        Ok(Named::HandedBack) => Ok(Cause::HandedBack),
        Ok(Named::Refused) => Ok(Cause::Refused),
        Ok(Named::Killed) => Ok(Cause::Killed),
        Ok(Named::Unspecified) => Err(ServiceError::bad_field("cause", "is missing")),
        // A newer worker's cause: that of which least is concluded.
        Err(_) => Ok(Cause::Killed),
    }
}

/// A failure's message, cut to what is kept.
pub(super) fn failure_message(mut message: String) -> String {
    if message.len() > limits::MAX_FAILURE_MESSAGE {
        let end = (0..=limits::MAX_FAILURE_MESSAGE).rev().find(|at| message.is_char_boundary(*at));
        message.truncate(end.unwrap_or(0));
    }
    message
}

pub(super) fn no_such_sweep(name: &str) -> ServiceError {
    ServiceError::new(ErrorKind::NoSuchSweep, name, format!("there is no sweep {name}"))
}
