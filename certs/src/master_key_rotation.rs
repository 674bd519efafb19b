//! Rotates the master key of a key folder: writes the new key next to the old one, reseals the root CA, and replaces
//! the old key only after every other secret was re-encrypted. A rotation that was interrupted at any point completes
//! when it is run again. `commands::rotate_master_key` re-encrypts the secrets in the log.

use std::path::{Path, PathBuf};

use crate::atomic_file;
use crate::ca::SealedAuthority;
use crate::key_folder::Error;
use crate::master_key::{self, MasterKey};

/// File of the new key while a rotation is in progress.
const NEXT: &str = "master.key.next";
const PRESENT: &str = "master.key";

/// Returns the next master key: that of an interrupted rotation, or a new one.
pub fn next_master_key(dir: &Path) -> Result<MasterKey, Error> {
    let path = dir.join(NEXT);
    let key = if path.exists() { MasterKey::from_file(&path) } else { MasterKey::create_file(&path) };
    key.map_err(Error::MasterKey)
}

/// Reseals the root CA of a folder under the new master key; returns `false` if it already was.
pub fn reseal_root(dir: &Path, old: &MasterKey, new: &MasterKey) -> Result<bool, Error> {
    let path = dir.join("root.key.sealed");
    let _locked = atomic_file::lock(dir).map_err(|error| Error::Write(dir.to_owned(), error))?;
    let read = std::fs::read_to_string(&path).map_err(|error| Error::Read(path.clone(), error))?;
    let sealed: SealedAuthority =
        serde_json::from_str(&read).map_err(|error| Error::SealedRoot(path.clone(), error))?;
    // An interrupted rotation may have resealed the root already.
    if sealed.open_root(new).is_ok() {
        return Ok(false);
    }
    let resealed = sealed.open_root(old).and_then(|root| root.seal(new)).map_err(Error::Authority)?;
    let text = serde_json::to_vec_pretty(&resealed).map_err(|error| Error::SealedRoot(path.clone(), error))?;
    atomic_file::replace(&path, &text, 0o600).map_err(|error| Error::Write(path.clone(), error))?;
    Ok(true)
}

/// Replaces the current master key with the next one, if the folder has one.
pub fn adopt_master_key(dir: &Path) -> Result<(), Error> {
    let (next, present): (PathBuf, PathBuf) = (dir.join(NEXT), dir.join(PRESENT));
    if !next.exists() {
        return Ok(());
    }
    let adopt = || {
        std::fs::rename(&next, &present)?;
        atomic_file::sync_parent(&present)
    };
    adopt().map_err(|error| Error::MasterKey(master_key::Error::Write(present.clone(), error)))
}
