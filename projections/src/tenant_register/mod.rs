//! The register of organisations, their users and their API keys. Names and e-mail addresses of users stay encrypted,
//! as in the log. Passwords are not stored here, and signing in uses no read model.

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
