//! A temporary folder and what lies in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

use crate::program::target_folder;

/// A temporary folder on the disk of the build; gone with the test.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    /// A new, empty one.
    pub fn new() -> Self {
        let parent = target_folder().join("tmp");
        std::fs::create_dir_all(&parent).expect("the build folder is writable");
        let folder = tempfile::Builder::new().prefix("phasegrid-").tempdir_in(parent);
        Folder(folder.expect("the build folder is writable"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A path in it.
    pub fn join(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    /// Writes a file in it, its folders too.
    pub fn write(&self, relative: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(relative);
        let parent = path.parent().expect("a path in a folder has a parent");
        std::fs::create_dir_all(parent).expect("a temporary folder is writable");
        std::fs::write(&path, bytes).expect("a temporary folder is writable");
        path
    }
}

impl Default for Folder {
    fn default() -> Self {
        Folder::new()
    }
}

/// Every file below a folder with its bytes, by relative path; nothing if there is no folder.
pub fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("a folder's entries can be listed").path()) {
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let relative = path.strip_prefix(root).expect("it lies below the root");
            let bytes = std::fs::read(&path).expect("a file that is listed can be read");
            files.insert(relative.to_string_lossy().into_owned(), bytes);
        }
    }
    files
}
