//! The dedicated thread that starts every child process.
//!
//! `PR_SET_PDEATHSIG` fires when the *thread* that forked the child ends, not the process (`prctl(2)`). An async
//! runtime may end its threads at any time, so children started there would be stopped at random. This thread lives as
//! long as the process.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpid, getppid};

use crate::lock::Lock;
use crate::process::Launch;

type Job = Box<dyn FnOnce() + Send>;

/// Starts a program on the dedicated thread.
pub(super) fn spawn(launch: &Launch, log: File, lock: &Lock) -> io::Result<Child> {
    let mut command = command(launch, log)?;
    end_with_parent(&mut command, launch.stop_signal, lock.descriptor().as_raw_fd());
    on_spawner_thread(move || command.spawn())?
}

fn command(launch: &Launch, log: File) -> io::Result<Command> {
    let mut command = Command::new(&launch.program);
    command.args(&launch.arguments).current_dir(&launch.directory);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    // Its own process group, so that Ctrl-C in a terminal reaches only this process, which stops the servers in order.
    command.process_group(0);
    if let Some(account) = &launch.account {
        command.uid(account.uid).gid(account.gid);
    }
    Ok(command)
}

/// Makes the kernel send `signal` to the child when this process ends, and lets the child keep the lock open.
#[allow(unsafe_code, reason = "running code between fork and exec is unsafe by nature; there is no other way")]
fn end_with_parent(command: &mut Command, signal: Signal, lock: RawFd) {
    let parent = getpid();
    // SAFETY: after a fork in a process with threads only async-signal-safe calls are allowed. `before_exec` makes
    // three system calls and neither allocates nor locks. The descriptor is open: its owner waits for the spawn to
    // return.
    unsafe {
        command.pre_exec(move || before_exec(signal, parent, BorrowedFd::borrow_raw(lock)).map_err(io::Error::from));
    }
}

/// Runs in the child after the change of user, because that change would clear the signal.
fn before_exec(signal: Signal, parent: Pid, lock: BorrowedFd<'_>) -> Result<(), Errno> {
    set_pdeathsig(signal)?;
    // If the parent ended before the line above, the signal would never come.
    if getppid() != parent {
        return Err(Errno::ESRCH);
    }
    fcntl(lock, FcntlArg::F_SETFD(FdFlag::empty())).map(drop)
}

fn on_spawner_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    static THREAD: OnceLock<Sender<Job>> = OnceLock::new();
    let jobs = THREAD.get_or_init(|| {
        let (sender, jobs) = channel::<Job>();
        // If the thread does not start, every send fails and the caller gets the error.
        let _ =
            std::thread::Builder::new().name("stack-spawner".into()).spawn(move || jobs.iter().for_each(|job| job()));
        sender
    });
    let (reply, answer) = channel();
    let gone = || io::Error::other("the thread that starts servers has ended");
    jobs.send(Box::new(move || drop(reply.send(work())))).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())
}
