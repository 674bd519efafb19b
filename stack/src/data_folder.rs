//! The data folder: one folder per server, the logs and the lock. A server that runs as another user gets a folder that
//! this user can reach, outside the data folder if necessary.

use std::fs::{Permissions, create_dir_all, set_permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::error::Error;
use crate::lock::Lock;
use crate::server::Server;

/// Parent of folders that their user could not reach inside the data folder; on disk, and kept over a reboot.
const FALLBACK_ROOT: &str = "/var/tmp";

/// A locked data folder.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    lock: Lock,
}

impl DataFolder {
    /// Creates the data folder if necessary and locks it.
    pub(crate) async fn open(path: &Path) -> Result<Self, Error> {
        create_dir_all(path.join("logs")).map_err(Error::file("create", path))?;
        let path = path.canonicalize().map_err(Error::file("open", path))?;
        let lock = Lock::take(&path).await?;
        Ok(Self { path, lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn lock(&self) -> &Lock {
        &self.lock
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.path.join("logs").join(format!("{name}.log"))
    }

    /// Creates and returns the folder of a server that runs as the current user.
    pub(crate) fn of(&self, server: Server) -> Result<PathBuf, Error> {
        let folder = self.path.join(server.name());
        create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        Ok(folder)
    }

    /// Creates and returns the folder of a server that runs as `account`, owned by that user. Where the user cannot
    /// reach the data folder (below a private home, for example), it is `/var/tmp/argusiq-<hash of the data folder>`,
    /// with a link to it in the data folder.
    pub(crate) fn of_account(&self, server: Server, account: &Account) -> Result<PathBuf, Error> {
        let here = self.path.join(server.name());
        if let Ok(there) = here.read_link() {
            return owned_by(there, account);
        }
        // The data folder itself may be inaccessible only because of the umask that it was created with.
        if here.symlink_metadata().is_err() && account.first_inaccessible(&self.path).as_ref() == Some(&self.path) {
            allow_traversal(&self.path)?;
        }
        match account.first_inaccessible(&self.path) {
            None => owned_by(here, account),
            Some(barrier) => {
                let there = owned_by(fallback_folder(&self.path), account)?;
                tracing::info!(folder = %there.display(), barrier = %barrier.display(), user = %account.name,
                    "{server} keeps its data outside the data folder, which its user cannot reach");
                symlink(&there, &here).map_err(Error::file("link", here))?;
                Ok(there)
            }
        }
    }
}

/// Removes a data folder that no stack uses, with the folders that it links to. Returns false where it is in use.
pub(crate) fn remove(path: &Path) -> Result<bool, Error> {
    if !path.exists() {
        return Ok(true);
    }
    let Some(_lock) = Lock::try_take(path)? else { return Ok(false) };
    let link = path.join(Server::Postgres.name()).read_link();
    if let Some(there) = link.ok().filter(|there| there.starts_with(FALLBACK_ROOT) && there.is_dir()) {
        std::fs::remove_dir_all(&there).map_err(Error::file("remove", there))?;
    }
    std::fs::remove_dir_all(path).map_err(Error::file("remove", path))?;
    Ok(true)
}

fn allow_traversal(path: &Path) -> Result<(), Error> {
    let mode = path.metadata().map_err(Error::file("read", path))?.mode();
    set_permissions(path, Permissions::from_mode(mode | 0o111)).map_err(Error::file("open up", path))
}

fn fallback_folder(path: &Path) -> PathBuf {
    Path::new(FALLBACK_ROOT).join(format!("argusiq-{:016x}", fnv1a(path.as_os_str().as_encoded_bytes())))
}

/// Creates a folder for `account` only. An existing one must be a folder that the account owns, because every user can
/// write to `/var/tmp`.
pub(crate) fn owned_by(folder: PathBuf, account: &Account) -> Result<PathBuf, Error> {
    match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
        Ok(()) => {
            chown(&folder, Some(account.uid), Some(account.gid)).map_err(Error::file("give away", &folder))?;
            Ok(folder)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let metadata = folder.symlink_metadata().map_err(Error::file("read", &folder))?;
            if metadata.is_dir() && metadata.uid() == account.uid {
                return Ok(folder);
            }
            Err(Error::Unreachable { path: folder, account: account.name.clone() })
        }
        Err(error) => Err(Error::file("create", folder)(error)),
    }
}

/// FNV-1a, 64 bits: a hash that is stable over builds, which the standard library does not guarantee.
/// Source: <http://www.isthe.com/chongo/tech/comp/fnv/>.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_matches_the_published_values() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[tokio::test]
    async fn a_data_folder_that_cannot_be_created_is_refused() {
        let error = DataFolder::open(Path::new("/proc/argusiq")).await.unwrap_err();
        let expected = "cannot create /proc/argusiq: check its owner and permissions, or choose another --data-dir";
        assert_eq!(error.to_string(), expected);
    }

    #[tokio::test]
    async fn a_folder_of_another_user_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("taken");
        std::fs::create_dir(&folder).unwrap();
        let account = Account { name: "stranger".into(), uid: 54_321, gid: 54_321 };
        let error = owned_by(folder.clone(), &account).unwrap_err();
        let expected = format!("{} is not a folder of ours: remove it, ", folder.display());
        assert!(error.to_string().starts_with(&expected), "{error}");
    }

    #[tokio::test]
    async fn a_folder_in_use_is_not_removed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("data");
        let folder = DataFolder::open(&path).await.unwrap();
        assert!(!remove(&path).unwrap());
        drop(folder);
        assert!(remove(&path).unwrap());
        assert!(!path.exists());
    }
}
