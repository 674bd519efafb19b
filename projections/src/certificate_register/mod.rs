//! The register of device certificates: issued, expiring, expired, renewed, revoked. No private keys are stored; MQTT
//! listeners get revocations from the log, not from here.

mod fold;
pub mod list;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Certificates;
pub use row::{CertificateRow, Transition};

/// The projection's name.
pub const NAME: &str = "certificate_register";
