//! The lock on a data folder. The stack and every server that it starts hold it, so it is free exactly when nothing
//! runs on the folder any more. A dead owner never blocks; a live one is named in the error.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::error::Error;

/// How long the servers of a killed stack may take to end. PostgreSQL writes a checkpoint first.
const SERVERS_END_WITHIN: Duration = Duration::from_secs(30);
const FILE: &str = "stack.lock";

/// An exclusive `flock(2)` on `stack.lock`, with the holder's process id in the file.
#[derive(Debug)]
pub(crate) struct Lock(Flock<File>);

impl Lock {
    /// Takes the lock. Fails at once if its owner is alive; waits up to 30 s for the servers of an owner that has
    /// ended.
    pub(crate) async fn take(folder: &Path) -> Result<Self, Error> {
        let deadline = Instant::now() + SERVERS_END_WITHIN;
        loop {
            if let Some(lock) = Self::try_take(folder)? {
                return Ok(lock);
            }
            if let Some(pid) = owner(folder).filter(|pid| is_alive(*pid)) {
                return Err(Error::AlreadyRunning { path: folder.to_path_buf(), pid });
            }
            if Instant::now() > deadline {
                return Err(Error::Lingering { path: folder.to_path_buf() });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_take(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(FILE);
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let file = open.map_err(Error::file("write", &path))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut lock) => {
                let write = lock.set_len(0).and_then(|()| write!(*lock, "{}", std::process::id()));
                write.map_err(Error::file("write", path))?;
                Ok(Some(Self(lock)))
            }
            Err((_, Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, error)) => Err(Error::File { operation: "lock", path, source: error.into() }),
        }
    }

    /// Returns the file descriptor that a server inherits.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn owner(folder: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(folder.join(FILE)).ok()?.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn is_alive(pid: u32) -> bool {
    i32::try_from(pid).is_ok_and(|pid| !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_live_owner_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let _held = Lock::take(folder.path()).await.unwrap();
        let error = Lock::take(folder.path()).await.unwrap_err();
        let expected = format!(
            "process {} already runs a stack on {}: stop it, or choose another --data-dir",
            std::process::id(),
            folder.path().display()
        );
        assert_eq!(error.to_string(), expected);
    }

    #[tokio::test]
    async fn a_lock_file_left_by_a_dead_owner_does_not_block() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "1").unwrap();
        let lock = Lock::take(folder.path()).await.unwrap();
        assert_eq!(owner(folder.path()), Some(std::process::id()));
        drop(lock);
        assert!(Lock::try_take(folder.path()).unwrap().is_some());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_refused() {
        let error = Lock::try_take(Path::new("/proc")).unwrap_err();
        assert!(error.to_string().starts_with("cannot write /proc/stack.lock: check its owner"), "{error}");
    }
}
