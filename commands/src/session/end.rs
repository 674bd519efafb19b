//! Ends a session when its user signs out.

use super::PREFIX;
use crate::commands::Commands;
use crate::error::Error;
use crate::one_time_secret::PresentedSecret;

impl Commands {
    /// Ends the session of a refresh token; ignores a text that is not a refresh token.
    pub async fn end_session(&self, refresh_token: &str) -> Result<(), Error> {
        match PresentedSecret::read(PREFIX, refresh_token) {
            Some(presented) => self.inner.vault.end_session(presented.first, presented.second).await,
            None => Ok(()),
        }
    }
}
