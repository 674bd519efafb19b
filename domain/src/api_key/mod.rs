//! A key by which a machine calls the API in place of a person. The key itself is stored nowhere; its digest is here.

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
