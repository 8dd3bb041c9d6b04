//! Whether a directory is on a file system SQLite can rely on.

use std::path::Path;

/// The name of the network file system a directory is on, if it is one.
pub(super) fn network_filesystem(path: &Path) -> std::io::Result<Option<&'static str>> {
    Ok(filesystem_type(path)?.and_then(name_of))
}

/// Network file systems by their number in `statfs(2)`.
fn name_of(filesystem_type: i64) -> Option<&'static str> {
    // Some of the numbers have their highest bit set and come back negative.
    match filesystem_type & 0xffff_ffff {
        0x6969 => Some("NFS"),
        0x0bd0_0bd0 => Some("Lustre"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x4750_4653 => Some("GPFS"),
        0x1983_0326 => Some("BeeGFS"),
        _ => None,
    }
}

#[cfg(target_os = "linux")]
fn filesystem_type(path: &Path) -> std::io::Result<Option<i64>> {
    use std::os::unix::ffi::OsStrExt;

    let path = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    let mut found = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: `path` is a C string, and `found` has room for what the call writes.
    let result = unsafe { libc::statfs(path.as_ptr(), found.as_mut_ptr()) };
    if result != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so it has filled `found`.
    let found = unsafe { found.assume_init() };
    #[allow(clippy::unnecessary_cast)] // its width differs between platforms
    Ok(Some(found.f_type as i64))
}

#[cfg(not(target_os = "linux"))]
fn filesystem_type(_path: &Path) -> std::io::Result<Option<i64>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nfs_and_lustre_are_refused_and_a_temporary_directory_is_not() {
        assert_eq!(name_of(0x6969), Some("NFS"));
        assert_eq!(name_of(0x0bd0_0bd0), Some("Lustre"));
        assert_eq!(name_of(0xff53_4d42_u32 as i32 as i64), Some("SMB"));
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(network_filesystem(directory.path()).unwrap(), None);
    }
}
