//! The register of device certificates: issued, expiring, expired, revoked. Its readers see a device's certificates and
//! what expires soon. What does not live here: keys, and
//! what doors know of revocations.

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
