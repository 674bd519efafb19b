//! The standing of a caller during a long connection or response: whether their credential still grants what it granted
//! at the beginning. The log says so; nothing is polled.

use std::future::pending;
use std::io;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::authenticate::{Credential, Denied, Refused, authenticate_fully};
use super::{Caller, TOKEN_SECONDS};
use crate::problem::Problem;
use crate::state::State;

/// Pause before asking again when the log does not answer.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The credential has expired.
const EXPIRED: Refused = Refused { code: "expired", detail: "the access token or API key has expired" };
/// The connection is as old as one may get, so that nothing is trusted for longer while the log is unreachable.
const TIME_LIMIT: Refused =
    Refused { code: "time_limit", detail: "the connection has lasted 15 minutes; connect again" };

/// A caller whose credential is watched. Clones watch on their own.
#[derive(Clone)]
pub struct Standing {
    state: State,
    caller: Caller,
    credential: Credential,
    changes: watch::Receiver<()>,
    unchecked: bool,
    until: Instant,
    at_end: Refused,
}

impl Standing {
    /// Authenticates a credential like [`super::authenticate()`], and watches it from then on.
    pub async fn open(state: &State, credential: &str, chosen: Option<&str>) -> Result<Self, Problem> {
        // Before the check, so that no change falls between the two.
        let changes = state.commands.access_changes();
        let (caller, credential, expires_at) = authenticate_fully(state, credential, chosen).await?;
        let left = (expires_at - state.now()).to_std().unwrap_or_default();
        let limit = Duration::from_secs(TOKEN_SECONDS.unsigned_abs());
        let at_end = if left <= limit { EXPIRED } else { TIME_LIMIT };
        let until = Instant::now() + left.min(limit);
        Ok(Self { state: state.clone(), caller, credential, changes, unchecked: false, until, at_end })
    }

    /// Returns the caller.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// Refuses a credential that no longer counts; asks only if this process has learned of a change.
    pub async fn check(&mut self) -> Result<(), Refused> {
        while self.has_unchecked_change() {
            match self.credential.check(&self.state).await {
                Ok(()) => self.unchecked = false,
                Err(Denied::Refused(refused)) => return Err(refused),
                // Trusted until the log answers again.
                Err(Denied::Unknown) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Waits until the credential no longer counts or the connection has lasted long enough; returns why.
    pub async fn ended(&mut self) -> Refused {
        let (until, at_end) = (self.until, self.at_end);
        tokio::select! {
            biased;
            refused = self.refused() => refused,
            () = sleep_until(until) => at_end,
        }
    }

    /// Waits until an event ends the validity of the credential; returns why.
    async fn refused(&mut self) -> Refused {
        loop {
            if let Err(refused) = self.check().await {
                return refused;
            }
            if self.unchecked {
                sleep(RETRY_DELAY).await;
            } else if self.changes.changed().await.is_ok() {
                self.unchecked = true;
            } else {
                // The commands are gone because the process shuts down.
                pending::<()>().await;
            }
        }
    }

    /// Tells whether there was a change that no check has seen. It is forgotten after a check only, so that a dropped
    /// check loses nothing.
    fn has_unchecked_change(&mut self) -> bool {
        if self.changes.has_changed().is_ok_and(|changed| changed) {
            self.changes.mark_unchanged();
            self.unchecked = true;
        }
        self.unchecked
    }

    /// Passes on the parts of a response until an event ends the validity of the credential, then fails. A credential
    /// that merely expires was valid when the request was made.
    pub fn guard<T: Send + 'static>(
        self,
        parts: impl Stream<Item = io::Result<T>> + Send + 'static,
    ) -> impl Stream<Item = io::Result<T>> + Send + 'static {
        stream::unfold(Some((self, parts.boxed())), |watched| async {
            let (mut standing, mut parts) = watched?;
            // While there is always a next part, a check that runs next to it would never come to its end.
            if let Err(refused) = standing.check().await {
                return Some((Err(io::Error::other(refused)), None));
            }
            tokio::select! {
                refused = standing.refused() => Some((Err(io::Error::other(refused)), None)),
                part = parts.next() => Some((part?, Some((standing, parts)))),
            }
        })
    }
}
