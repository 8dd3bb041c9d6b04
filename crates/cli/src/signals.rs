//! What signals do to the program, where that is not tokio's business.

/// Lets SIGINT and SIGTERM end the program again, after tokio has listened for them.
pub(crate) fn restore_defaults() {
    set_default(&[libc::SIGINT, libc::SIGTERM]);
}

/// Ends the program quietly when whoever reads its output stops reading (`| head`). Not for
/// commands that hold pipes to trainers.
pub(crate) fn end_on_closed_output() {
    set_default(&[libc::SIGPIPE]);
}

fn set_default(signals: &[libc::c_int]) {
    for signal in signals {
        // SAFETY: SIG_DFL is a valid disposition for these signals and no handler of ours is
        // replaced while it runs.
        unsafe { libc::signal(*signal, libc::SIG_DFL) };
    }
}
