//! Limits of failed sign-ins, by e-mail address and by the address they come from. An attempt is counted before the
//! password is verified and taken back when it was right, so that many at once are no way around. The e-mail address
//! itself is not stored, its keyed hash is.

use super::{ClientAddress, Limiter, Meter};
use crate::problem::Problem;

/// An attempt to sign in that was counted.
pub struct Attempt {
    by_email: Option<String>,
    by_address: String,
}

impl Limiter {
    /// Counts an attempt and refuses one too many. `email` is the keyed hash of the address, where it is one.
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
        // The address first: who is refused by it must not use up somebody else's attempts.
        self.failed(meter, &attempt.by_address, self.limits.failed_sign_ins_per_address).await?;
        if let Some(name) = &attempt.by_email {
            self.failed(meter, name, self.limits.failed_sign_ins_per_email).await?;
        }
        Ok(attempt)
    }

    /// Takes an attempt back: the password was right.
    pub(crate) async fn succeeded(&self, attempt: Attempt) {
        let email = async {
            if let Some(name) = &attempt.by_email {
                self.counters.forget(name).await;
            }
        };
        tokio::join!(email, self.counters.uncount(&attempt.by_address));
    }

    /// Takes an attempt back that nobody could judge.
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
