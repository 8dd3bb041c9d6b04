//! What a task's loader is asked for.

use std::path::Path;

/// One loader call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The task's full name, `idx:fashion` for one.
    pub(crate) task: &'a str,
    /// The data folder, if one is set.
    pub(crate) data_dir: Option<&'a Path>,
}
