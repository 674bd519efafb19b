//! Organisations, the tenants of the platform: name, certificate authority, policies and suspension.

mod aggregate;
mod command;
mod error;
mod event;
mod policy;
#[cfg(test)]
mod tests;

pub use aggregate::{CertificateAuthority, Organization};
pub use command::OrganizationCommand;
pub use error::Error;
pub use event::OrganizationEvent;
pub use policy::{CertificatePolicy, DEFAULT_RETENTION_DAYS, MAX_OVERLAP_DAYS};
