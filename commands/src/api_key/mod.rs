//! Keys of machines: making one, and telling whose a presented one is. What does not live here: what a role may.

mod create;
mod verify;

pub use create::{CreatedApiKey, NewApiKey};
pub use verify::{ApiKeyError, VerifiedApiKey};

/// Prefix of every key, so that secret scanners find leaked ones.
pub const PREFIX: &str = "argk_";

/// Why a key is not made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The key's own rules forbid it.
    #[error(transparent)]
    ApiKey(domain::api_key::Error),
    /// The organisation is unknown or suspended.
    #[error(transparent)]
    Organization(domain::organization::Error),
    /// It would hold for too short or too long.
    #[error("{days} is no validity in days: choose 1 to 3650")]
    InvalidValidity {
        /// What was asked for.
        days: u32,
    },
}
