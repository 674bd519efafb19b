//! Errors: why a unique key rejects a command.

use uuid::Uuid;

/// Why a unique key rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Another holder has the value.
    #[error("the value is held by {holder}")]
    HeldByAnother {
        /// The current holder.
        holder: Uuid,
    },
}
