//! Device certificates from issuance to expiry or revocation (RFC 5280).

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod revocation;
pub use aggregate::{Certificate, Issued, Renewal};
pub use command::CertificateCommand;
pub use error::Error;
pub use event::CertificateEvent;
pub use revocation::RevocationCode;
