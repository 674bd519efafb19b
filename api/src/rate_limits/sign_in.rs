//! Limits on failed sign-ins, per e-mail address and per IP address. An attempt is counted before the password is
//! verified and uncounted if it was right, so that parallel attempts cannot bypass the limit. Redis gets only a keyed
//! hash of the e-mail address.

use super::{ClientAddress, Limiter, Meter};
use crate::problem::Problem;

/// A sign-in attempt that was counted.
pub struct Attempt {
    by_email: Option<String>,
    by_address: String,
}

impl Limiter {
    /// Counts an attempt, or refuses it above the limit. `email` is the keyed hash of the e-mail address; `None` if the
    /// text is not an e-mail address.
    pub(crate) async fn attempt(
        &self,
        meter: &Meter,
        email: Option<String>,
        address: ClientAddress,
    ) -> Result<Attempt, Problem> {
        let attempt = Attempt {
            by_email: email.map(|hash| format!("failed_email:{hash}")),
            by_address: format!("failed_address:{address}"),
        };
        // The IP address first: a client refused by that limit must not use up another user's attempts.
        self.failed(meter, &attempt.by_address, self.limits.failed_sign_ins_per_address).await?;
        if let Some(name) = &attempt.by_email {
            self.failed(meter, name, self.limits.failed_sign_ins_per_email).await?;
        }
        Ok(attempt)
    }

    /// Uncounts an attempt whose password was right, and forgets failures with that e-mail address.
    pub(crate) async fn succeeded(&self, attempt: Attempt) {
        let email = async {
            if let Some(name) = &attempt.by_email {
                self.counters.forget(name).await;
            }
        };
        tokio::join!(email, self.counters.uncount(&attempt.by_address));
    }

    /// Uncounts an attempt whose password could not be verified because of a failure.
    pub(crate) async fn unjudged(&self, attempt: Attempt) {
        let email = async {
            if let Some(name) = &attempt.by_email {
                self.counters.uncount(name).await;
            }
        };
        tokio::join!(email, self.counters.uncount(&attempt.by_address));
    }

    async fn failed(&self, meter: &Meter, name: &str, limit: u32) -> Result<(), Problem> {
        if limit == 0 {
            return Ok(());
        }
        let window = self.limits.failed_sign_in_window;
        match self.counters.count(&[(name.to_owned(), window)]).await.as_deref() {
            Some([counted]) => meter.note(*counted, limit, "too many failed attempts to sign in"),
            _ => Ok(()),
        }
    }
}
