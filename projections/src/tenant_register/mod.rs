//! The register of organisations, their people and the keys of their machines. Names and addresses of people stay sealed, as they are in the log.
//! What does not live here: passwords, and signing in, which reads no read model.

mod api_keys;
mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use api_keys::ApiKeyRow;
pub use fold::Tenants;
pub use row::{OrganizationRow, UserRow};

/// The projection's name.
pub const NAME: &str = "tenant_register";
