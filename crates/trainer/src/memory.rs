//! Memory between units: what the allocator keeps of one unit is no use to the next shape.

/// Gives the pages of freed blocks back to the system.
///
/// Units of many shapes leave holes of many sizes; without this the process grows with the number
/// of shapes it has seen, to several times what any unit needs. Costs about a millisecond,
/// and changes nothing within a unit.
pub(crate) fn give_back() {
    // SAFETY: malloc_trim takes no pointer and may be called at any time, from any thread.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}
