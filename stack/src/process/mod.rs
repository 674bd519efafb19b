//! A child process that never outlives this process: signalling it, waiting for it and ending it.
//!
//! Three things end a child: [`Process::stop`], dropping the [`Process`], and the end of this process for any reason.
//! The last is done by the kernel (`PR_SET_PDEATHSIG`, see [`spawner`]).

mod process_tree;
mod spawner;

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use tokio::sync::watch;

use crate::account::Account;
use crate::error::Error;
use crate::lock::Lock;
use crate::logs;

/// How long a dropped process may take to stop before it is killed.
const DROP_WITHIN: Duration = Duration::from_secs(5);

/// How to start a program.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub directory: PathBuf,
    /// The user to run as; none for the current user.
    pub account: Option<Account>,
    /// The file for its output.
    pub log: PathBuf,
    /// The signal that stops it; also sent when this process ends.
    pub stop_signal: Signal,
}

/// A running or ended child process. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    stop_signal: Signal,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Set when the process is reaped. From then on the kernel may reuse its id, so it is never signalled again.
    ended: Mutex<Option<ExitStatus>>,
    reaped: Condvar,
    /// Whether this process signalled it to end.
    stop_requested: AtomicBool,
    exit: watch::Sender<Option<ExitStatus>>,
}

impl Process {
    /// Starts a program that ends with this process and holds the lock as long as it runs.
    pub(crate) fn spawn(launch: &Launch, lock: &Lock) -> Result<Self, Error> {
        let log = logs::open(&launch.log)?;
        let failed = |source| Error::Spawn { program: launch.program.clone(), source };
        let child = spawner::spawn(launch, log, lock).map_err(failed)?;
        // The cast cannot overflow: the kernel's limit for process ids is 2^22.
        let pid = Pid::from_raw(child.id().cast_signed());
        let shared = Arc::new(Shared::default());
        let process = Self { pid, stop_signal: launch.stop_signal, shared: Arc::clone(&shared) };
        let name = format!("wait-{pid}");
        std::thread::Builder::new().name(name).spawn(move || shared.reap(child, pid)).map_err(failed)?;
        Ok(process)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw().cast_unsigned()
    }

    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        *self.shared.lock()
    }

    /// Resolves when the process has ended.
    pub(crate) fn exited(&self) -> impl Future<Output = ExitStatus> + Send + use<> {
        let mut exit = self.shared.exit.subscribe();
        async move {
            let status = exit.wait_for(Option::is_some).await.ok().and_then(|status| *status);
            status.unwrap_or_else(|| ExitStatus::from_raw(0))
        }
    }

    /// Resolves when the process ends without having been told to; never when it was told to.
    pub(crate) fn ended_unexpectedly(&self) -> impl Future<Output = ExitStatus> + Send + use<> {
        let (exited, shared) = (self.exited(), Arc::clone(&self.shared));
        async move {
            let status = exited.await;
            if shared.stop_requested.load(Ordering::Acquire) {
                std::future::pending::<()>().await;
            }
            status
        }
    }

    /// Sends the stop signal, waits, and kills the process if it does not end in time. Returns whether it ended in
    /// time.
    pub(crate) async fn stop(&self, within: Duration) -> bool {
        self.ask_to_stop();
        let stopped = tokio::time::timeout(within, self.exited()).await.is_ok();
        if !stopped {
            self.kill().await;
        }
        stopped
    }

    /// Sends the stop signal and returns at once.
    pub(crate) fn ask_to_stop(&self) {
        self.signal(self.stop_signal);
    }

    /// Pauses the process with SIGSTOP and waits until every thread has stopped, which the signal alone does not
    /// guarantee. Returns false if they have not stopped within five seconds.
    pub(crate) async fn pause(&self) -> bool {
        self.send(Signal::SIGSTOP);
        for _ in 0..1000 {
            if process_tree::is_stopped(self.pid) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }

    /// Resumes a paused process.
    pub(crate) fn resume(&self) {
        self.send(Signal::SIGCONT);
    }

    /// Kills the process and its descendants with SIGKILL and waits until all of them have ended.
    pub(crate) async fn kill(&self) {
        let children = self.kill_tree();
        self.exited().await;
        process_tree::wait_until_gone(&children).await;
    }

    /// Sends SIGKILL and returns at once.
    pub(crate) fn kill_now(&self) {
        self.signal(Signal::SIGKILL);
    }

    fn kill_tree(&self) -> Vec<Pid> {
        let ended = self.shared.lock();
        if ended.is_some() {
            return Vec::new();
        }
        self.shared.stop_requested.store(true, Ordering::Release);
        let children = process_tree::descendants(self.pid);
        for pid in std::iter::once(&self.pid).chain(&children) {
            let _ = kill(*pid, Signal::SIGKILL);
        }
        children
    }

    fn signal(&self, signal: Signal) {
        self.shared.stop_requested.store(true, Ordering::Release);
        self.send(signal);
    }

    fn send(&self, signal: Signal) {
        let ended = self.shared.lock();
        if ended.is_none() {
            let _ = kill(self.pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.ask_to_stop();
        if !self.shared.wait(DROP_WITHIN) {
            self.kill_tree();
            self.shared.wait(DROP_WITHIN);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end without reaping, then reaps under the lock, so that no signal goes to a reused process id.
    fn reap(&self, mut child: Child, pid: Pid) {
        let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(pid), ended) == Err(nix::errno::Errno::EINTR) {}
        let mut state = self.lock();
        let status = child.wait().unwrap_or_else(|_| ExitStatus::from_raw(0));
        *state = Some(status);
        drop(state);
        self.reaped.notify_all();
        self.exit.send_replace(Some(status));
    }

    /// Blocks until the process is reaped or the time is over. Returns whether it was reaped.
    fn wait(&self, within: Duration) -> bool {
        let waited = self.reaped.wait_timeout_while(self.lock(), within, |ended| ended.is_none());
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    async fn shell(folder: &Path, script: &str) -> Process {
        let launch = Launch {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            directory: folder.into(),
            account: None,
            log: folder.join("sh.log"),
            stop_signal: Signal::SIGTERM,
        };
        let process = Process::spawn(&launch, &Lock::take(folder).await.unwrap()).unwrap();
        for _ in 0..500 {
            if logs::tail(&launch.log).contains("ready") {
                return process;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the shell did not get ready: {}", logs::tail(&launch.log));
    }

    #[tokio::test]
    async fn a_process_that_handles_the_stop_signal_ends_gracefully() {
        let folder = tempfile::tempdir().unwrap();
        let process = shell(folder.path(), "trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done").await;
        assert_eq!(process.ended(), None);
        assert!(process.stop(Duration::from_secs(10)).await);
        assert_eq!(process.ended().unwrap().code(), Some(3));
    }

    #[tokio::test]
    async fn a_process_that_ignores_the_stop_signal_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let process = shell(folder.path(), "trap '' TERM; sleep 600 & echo ready; while :; do wait; done").await;
        let children = process_tree::descendants(process.pid);
        assert_eq!(children.len(), 1);
        assert!(!process.stop(Duration::from_millis(100)).await);
        assert_eq!(process.ended().unwrap().signal(), Some(Signal::SIGKILL as i32));
        assert!(children.iter().all(|child| !Path::new(&format!("/proc/{child}/exe")).exists()));
    }

    #[tokio::test]
    async fn a_process_inherits_the_lock_of_the_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let launch = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done";
        let process = shell(folder.path(), launch).await;
        // The lock value is already dropped; the open descriptor shows that the child inherited it.
        let open = std::fs::read_dir(format!("/proc/{}/fd", process.pid())).unwrap().flatten();
        let mut targets = open.filter_map(|entry| entry.path().read_link().ok());
        assert!(targets.any(|target| target.ends_with("stack.lock")));
    }

    #[tokio::test]
    async fn the_error_for_a_missing_program_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let launch = Launch {
            program: "/nonexistent/redis-server".into(),
            arguments: vec![],
            directory: folder.path().into(),
            account: None,
            log: folder.path().join("x.log"),
            stop_signal: Signal::SIGTERM,
        };
        let error = Process::spawn(&launch, &Lock::take(folder.path()).await.unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "cannot start /nonexistent/redis-server");
    }
}
