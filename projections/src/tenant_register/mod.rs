//! The register of organisations and their people. Names and addresses of people stay sealed, as they are in the log.
//! What does not live here: passwords, and signing in, which reads no read model.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Tenants;
pub use row::{OrganizationRow, UserRow};

/// The projection's name.
pub const NAME: &str = "tenant_register";
