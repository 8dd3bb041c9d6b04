//! Bounds on requests: one definition for the server that checks them and the clients that keep them.

/// Largest gRPC message either side decodes, bytes. A lease of [`MAX_TRIALS_PER_UNIT`] trials fits.
pub const MAX_MESSAGE_BYTES: usize = 32 * 1024 * 1024;

/// Largest sweep file, bytes.
pub const MAX_SWEEP_FILE_BYTES: usize = 4 * 1024 * 1024;

/// Longest sweep name, characters (`[a-z][a-z0-9_.-]{0,63}`).
pub const MAX_SWEEP_NAME: usize = 64;

/// Longest idempotency key, characters.
pub const MAX_IDEMPOTENCY_KEY: usize = 64;

/// Longest worker name, bytes.
pub const MAX_WORKER_NAME: usize = 256;

/// Longest device name, bytes.
pub const MAX_DEVICE_NAME: usize = 64;

/// Longest build string, registry hash or dataset fingerprint, bytes.
pub const MAX_HASH: usize = 256;

/// Longest owner, bytes.
pub const MAX_OWNER: usize = 1024;

/// Most datasets one worker may state, and most entries of `train_rows`.
pub const MAX_DATASETS: usize = 1024;

/// Longest task name, bytes (`idx:<dir>` carries a path).
pub const MAX_TASK_NAME: usize = 1024;

/// Most slots one worker may state.
pub const MAX_SLOTS: u32 = 4096;

/// Most trials one unit may hold.
pub const MAX_TRIALS_PER_UNIT: usize = 4096;

/// Most staged files one unit may hold: its tables, and its trials' weights at every measured step.
pub const MAX_STAGED_FILES: usize = 65_536;

/// Tables a unit may fill, with room for those to come.
pub const MAX_TABLES: usize = 64;

/// Longest path of a staged file, bytes.
pub const MAX_PATH: usize = 1024;

/// Longest table name, bytes.
pub const MAX_TABLE_NAME: usize = 64;

/// Longest failure message kept, bytes; a longer one is cut, not refused.
pub const MAX_FAILURE_MESSAGE: usize = 8 * 1024;

/// Longest long poll, milliseconds; a longer one is shortened, not refused. Well below a lease's term,
/// so that a worker that waits is heard of often enough.
pub const MAX_POLL_MS: u64 = 30_000;
