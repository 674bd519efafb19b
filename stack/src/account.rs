//! The user that a server runs as. PostgreSQL refuses to run as root; every other server runs as the current user.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, User};

use crate::error::Error;

/// Users that PostgreSQL may run as in place of root, in order of preference.
const STAND_INS: [&str; 2] = ["postgres", "nobody"];

/// A user to run a server as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl Account {
    /// Returns the user that PostgreSQL must run as; none unless the current user is root. A data folder that already
    /// exists keeps its owner.
    pub(crate) fn for_postgres(existing: &Path) -> Result<Option<Self>, Error> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let owner = existing.metadata().ok().map(|metadata| metadata.uid()).filter(|uid| *uid != 0);
        let owner = owner.and_then(|uid| User::from_uid(Uid::from_raw(uid)).ok().flatten());
        let named = || STAND_INS.iter().find_map(|name| User::from_name(name).ok().flatten());
        owner.or_else(named).map(|user| Some(Self::from(user))).ok_or(Error::NoAccount)
    }

    /// Returns the current user.
    pub(crate) fn current() -> Self {
        let (uid, gid) = (Uid::effective(), Gid::effective());
        Self { name: uid.to_string(), uid: uid.as_raw(), gid: gid.as_raw() }
    }

    /// Returns the first folder on the path to `path`, itself included, that this user may not enter. Checks only the
    /// permission bits, not access control lists.
    pub(crate) fn first_inaccessible(&self, path: &Path) -> Option<PathBuf> {
        let folders: Vec<&Path> = path.ancestors().collect();
        let barred = |folder: &&Path| folder.metadata().is_ok_and(|metadata| !self.may_enter(&metadata));
        folders.into_iter().rev().find(barred).map(Path::to_path_buf)
    }

    fn may_enter(&self, metadata: &Metadata) -> bool {
        let bit = match () {
            () if metadata.uid() == self.uid => 0o100,
            () if metadata.gid() == self.gid => 0o010,
            () => 0o001,
        };
        metadata.mode() & bit != 0
    }
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, create_dir_all, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_private_parent_folder_is_inaccessible_to_another_user() {
        let root = tempfile::tempdir().unwrap();
        let (home, data) = (root.path().join("home"), root.path().join("home/data"));
        create_dir_all(&data).unwrap();
        for (folder, mode) in [(root.path(), 0o755), (&data, 0o755), (&home, 0o711)] {
            set_permissions(folder, Permissions::from_mode(mode)).unwrap();
        }
        let stranger = Account { name: "stranger".into(), uid: 54_321, gid: 54_321 };
        assert_eq!(stranger.first_inaccessible(&data), None);
        set_permissions(&home, Permissions::from_mode(0o700)).unwrap();
        assert_eq!(stranger.first_inaccessible(&data), Some(home.clone()));
        let metadata = home.metadata().unwrap();
        let owner = Account { name: "owner".into(), uid: metadata.uid(), gid: metadata.gid() };
        assert_eq!(owner.first_inaccessible(&data), None);
    }
}
