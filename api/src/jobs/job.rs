//! A background job and its runner.

use std::future::Future;
use std::time::Duration;

use eventlog::error_chain;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::state::State;

/// Work that is looked for again and again.
pub trait Job: Sync {
    /// The job's name in log messages.
    const NAME: &'static str;
    /// Time between the starts of two runs; a run that takes longer delays the next one.
    const PERIOD: Duration;
    /// Why a run failed.
    type Error: std::error::Error + Send;

    /// Does all work that is due now. What fails is still due at the next run.
    fn run(&self, state: &State) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Runs one job at its interval until `shutdown`, which also interrupts a run in progress.
pub async fn repeat<J: Job>(job: &J, state: &State, shutdown: &CancellationToken) {
    let mut period = interval(J::PERIOD);
    // After a long run the next one starts at once, and the missed ones are not made up for.
    period.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while shutdown.run_until_cancelled(period.tick()).await.is_some() {
        if let Some(Err(error)) = shutdown.run_until_cancelled(job.run(state)).await {
            tracing::warn!(job = J::NAME, error = error_chain(&error), "background job failed; retrying");
        }
    }
}
