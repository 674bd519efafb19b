//! Checks whether a NATS server is usable: classifies connection failures, checks the server's version, and waits for
//! JetStream. The connection retries what may resolve itself.

use std::error::Error as _;

use async_nats::jetstream::context::{AccountError, AccountErrorKind};
use async_nats::{ConnectError, ConnectErrorKind};
use tokio::time::{Instant, sleep};

use crate::connection::{Error, Log, Settings};
use crate::send;

/// The oldest supported server version, the first with batched direct gets.
const MIN_VERSION: (u64, u64, u64) = (2, 11, 0);
const MIN_VERSION_TEXT: &str = "2.11.0";
/// JetStream's error code for an account without JetStream.
const NOT_FOR_ACCOUNT: u64 = 10039;
/// JetStream's error code for a server without JetStream.
const NOT_ENABLED: u64 = 10076;

/// Returns the error that a failed connection stands for if waiting cannot resolve it.
pub(crate) fn refusal(settings: &Settings, error: &ConnectError) -> Option<impl FnOnce(ConnectError) -> Error + use<>> {
    let (url, user) = (settings.url.clone(), settings.credentials.name());
    let refused = matches!(error.kind(), ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication);
    let tls = error.kind() == ConnectErrorKind::Tls || mentions_certificates(error);
    (refused || tls).then_some(move |source| match refused {
        true => Error::Refused { url, user },
        false => Error::Tls { url, source },
    })
}

/// Returns whether a connection failed because of certificates. A rejected certificate, ours or the server's, surfaces
/// as an I/O error with the TLS message somewhere in its causes.
fn mentions_certificates(error: &ConnectError) -> bool {
    let mut cause = error.source();
    while let Some(this) = cause {
        let text = this.to_string();
        if text.contains("certificate") || text.contains("fatal alert") {
            return true;
        }
        cause = this.source();
    }
    false
}

impl Log {
    /// Checks the server's version, then waits until JetStream answers or `deadline` passes: a server that is starting,
    /// or a cluster without a leader, needs a moment.
    pub(crate) async fn check_server(&self, deadline: Instant) -> Result<(), Error> {
        let info = self.client().server_info();
        let url = || self.settings().url.clone();
        if version(&info.version).is_none_or(|found| found < MIN_VERSION) {
            return Err(Error::TooOld { url: url(), found: info.version, needed: MIN_VERSION_TEXT });
        }
        let mut pauses = send::backoff();
        loop {
            let Err(source) = self.jetstream().query_account().await else { return Ok(()) };
            if code(&source) == Some(NOT_FOR_ACCOUNT) {
                return Err(Error::NoJetStream { url: url() });
            }
            match pauses.next().filter(|pause| Instant::now() + *pause < deadline) {
                Some(pause) => sleep(pause).await,
                None if code(&source) == Some(NOT_ENABLED) || !self.client().server_info().jetstream => {
                    return Err(Error::NoJetStream { url: url() });
                }
                None => return Err(Error::JetStream { url: url(), source }),
            }
        }
    }
}

fn code(error: &AccountError) -> Option<u64> {
    match error.kind() {
        AccountErrorKind::JetStream(answer) => Some(answer.error_code().0),
        _ => None,
    }
}

/// Parses a version such as `2.11.0`, ignoring a suffix after a dash.
fn version(text: &str) -> Option<(u64, u64, u64)> {
    let mut numbers = text.split('-').next()?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next().flatten().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("2.9.10").unwrap() < MIN_VERSION);
        assert!(version("2.11.0-RC.1").unwrap() >= MIN_VERSION);
        assert!(version("2.15.1").unwrap() >= MIN_VERSION);
        assert_eq!(version("unknown"), None);
    }
}
