//! Signal handling: the first signal starts a graceful stop; a second one, or the deadline, ends the process at once.

use std::process;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Longest graceful stop. Docker and Compose send SIGKILL 10 s after SIGTERM by default.
pub const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// Exit code of a forced stop: 128 + SIGINT (2), as shells report it.
const FORCED: i32 = 130;

/// Cancels `shutdown` on the first SIGINT or SIGTERM; exits the process on the second signal or at the deadline.
pub fn stop_on_signals(shutdown: CancellationToken) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        eprintln!("stopping; press Ctrl-C again to stop at once");
        shutdown.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = tokio::time::sleep(STOP_DEADLINE) => eprintln!("the graceful stop exceeded {STOP_DEADLINE:?}"),
        }
        process::exit(FORCED);
    });
    Ok(())
}
