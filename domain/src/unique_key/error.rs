//! Why a unique key refuses a command.

use uuid::Uuid;

/// Refusals of a unique key.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Somebody else holds the value.
    #[error("the value is held by {holder}")]
    HeldByAnother {
        /// Who holds it.
        holder: Uuid,
    },
}
