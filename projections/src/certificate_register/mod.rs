//! The register of device certificates: issued, expiring, expired, revoked. Its readers see a device's certificates and
//! what expires soon. What does not live here: keys, and the revocation list that doors check.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Certificates;
pub use row::CertificateRow;

/// The projection's name.
pub const NAME: &str = "certificate_register";
