//! Another master key for an installation's folder: the new key is written beside the old one first, the root is sealed
//! anew, and only when everything else is sealed under it does the new key take the old one's place. Broken off at any
//! point, the same steps again complete it. What is sealed elsewhere under the key is its keepers' business.

use std::path::{Path, PathBuf};

use crate::atomic_file;
use crate::ca::SealedAuthority;
use crate::key_folder::Error;
use crate::master_key::{self, MasterKey};

/// The key of a rotation that is under way.
const NEXT: &str = "master.key.next";
const PRESENT: &str = "master.key";

/// Returns the key that is to follow: the one of a rotation that was broken off, or a new one.
pub fn next_master_key(dir: &Path) -> Result<MasterKey, Error> {
    let path = dir.join(NEXT);
    let key = if path.exists() { MasterKey::from_file(&path) } else { MasterKey::create_file(&path) };
    key.map_err(Error::MasterKey)
}

/// Seals the root CA of a folder under another master key; tells whether it was not so already.
pub fn reseal_root(dir: &Path, old: &MasterKey, new: &MasterKey) -> Result<bool, Error> {
    let path = dir.join("root.key.sealed");
    let _locked = atomic_file::lock(dir).map_err(|error| Error::Write(dir.to_owned(), error))?;
    let read = std::fs::read_to_string(&path).map_err(|error| Error::Read(path.clone(), error))?;
    let sealed: SealedAuthority =
        serde_json::from_str(&read).map_err(|error| Error::SealedRoot(path.clone(), error))?;
    if sealed.open_root(new).is_ok() {
        return Ok(false);
    }
    let resealed = sealed.open_root(old).and_then(|root| root.seal(new)).map_err(Error::Authority)?;
    let text = serde_json::to_vec_pretty(&resealed).map_err(|error| Error::SealedRoot(path.clone(), error))?;
    atomic_file::replace(&path, &text, 0o600).map_err(|error| Error::Write(path.clone(), error))?;
    Ok(true)
}

/// Puts the key that follows in the place of the present one, where it waits in the folder.
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
