//! Writes files atomically and syncs them to disk before the call returns.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Creates a file that must not exist yet, atomically, and syncs it to disk.
pub(crate) fn create(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let temporary = write_temporary(path, content, mode)?;
    // A hard link, unlike a rename, fails when the name is taken.
    let linked = std::fs::hard_link(&temporary, path);
    std::fs::remove_file(&temporary)?;
    linked?;
    sync_parent(path)
}

/// Locks a folder against other processes until the returned file is dropped.
pub(crate) fn lock(dir: &Path) -> io::Result<std::fs::File> {
    let directory = std::fs::File::open(dir)?;
    directory.lock()?;
    Ok(directory)
}

/// Replaces a file atomically and syncs it to disk.
pub(crate) fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    std::fs::rename(write_temporary(path, content, mode)?, path)?;
    sync_parent(path)
}

fn write_temporary(path: &Path, content: &[u8], mode: u32) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = PathBuf::from(name);
    // A crashed process with the same id may have left its temporary file behind.
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(temporary)
}

/// Syncs the folder of a file, so that a rename or link in it survives a crash.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => std::fs::File::open(parent)?.sync_all(),
        None => std::fs::File::open(".")?.sync_all(),
    }
}
