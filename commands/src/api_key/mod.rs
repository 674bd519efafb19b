//! API keys, with which machines authenticate: creates and verifies them.

mod create;
mod verify;

pub use create::{CreatedApiKey, NewApiKey};
pub use verify::{ApiKeyError, VerifiedApiKey};

/// Prefix of every key, so that secret scanners find leaked ones.
pub const PREFIX: &str = "argk_";

/// Why a key is not created.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The key's own rules forbid it.
    #[error(transparent)]
    ApiKey(domain::api_key::Error),
    /// The organisation is unknown or suspended.
    #[error(transparent)]
    Organization(domain::organization::Error),
    /// The validity is out of range.
    #[error("an API key is valid for 1 to 3650 days, not {days}")]
    InvalidValidity {
        /// The requested days.
        days: u32,
    },
}
