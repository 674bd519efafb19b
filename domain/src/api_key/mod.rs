//! API keys for machine access. Only the digest of a key is stored, never the key itself.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

pub use aggregate::{ApiKey, Terms};
pub use command::ApiKeyCommand;
pub use error::Error;
pub use event::ApiKeyEvent;
