//! From start to stop: the first signal asks everything to finish, a second one or the deadline ends it at once. What
//! does not live here: what each role does to finish.

use std::process;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long a graceful stop may take: what waits for it, such as an orchestrator, kills after ten seconds.
pub const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// Exit code after a stop that had to be forced (128 + SIGINT, as shells count).
const FORCED: i32 = 130;

/// Cancels the token on the first SIGINT or SIGTERM; ends the process on the second, or at the deadline.
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
            () = tokio::time::sleep(STOP_DEADLINE) => eprintln!("not everything stopped in {STOP_DEADLINE:?}"),
        }
        process::exit(FORCED);
    });
    Ok(())
}
