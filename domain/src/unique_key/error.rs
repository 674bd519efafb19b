//! Errors: why a unique key rejects a command.

use uuid::Uuid;

/// Why a unique key rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Somebody else holds the value.
    #[error("the value is held by {holder}")]
    HeldByAnother {
        /// Who holds it.
        holder: Uuid,
    },
}
