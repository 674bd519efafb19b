//! Requests that come again: whether the same is meant.

use uuid::Uuid;

use crate::commands::Commands;
use crate::error::Error;

impl Commands {
    /// Remembers for a day what the request of a command holds; tells whether it is what it held the first time.
    pub async fn is_same_request(&self, command_id: Uuid, content: &[u8]) -> Result<bool, Error> {
        self.inner.vault.is_same_request(command_id, content).await
    }
}
