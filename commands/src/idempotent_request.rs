//! Detects whether a repeated idempotency key carries the same request.

use uuid::Uuid;

use crate::commands::Commands;
use crate::error::Error;

impl Commands {
    /// Remembers a request's content for a day; returns whether it equals the content first seen under this command id.
    pub async fn is_same_request(&self, command_id: Uuid, content: &[u8]) -> Result<bool, Error> {
        self.inner.vault.is_same_request(command_id, content).await
    }
}
