//! Stores password hashes and the password generated for the first administrator.

use domain::ids::UserId;

use super::store::Vault;
use super::write_once::write_once;
use crate::error::Error;

impl Vault {
    /// Returns a user's password hash.
    pub(crate) async fn password_hash(&self, user: UserId) -> Result<Option<String>, Error> {
        let Some(bytes) = self.secrets()?.get(&name(user)).await? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|error| Error::Internal(error.into()))
    }

    /// Stores a user's password hash in place of the present one.
    pub(crate) async fn replace_password_hash(&self, user: UserId, hash: &str) -> Result<(), Error> {
        Ok(self.secrets()?.put(&name(user), hash.as_bytes()).await?)
    }

    /// Deletes a user's password hash.
    pub(crate) async fn forget_password(&self, user: UserId) -> Result<(), Error> {
        Ok(self.secrets()?.delete(&name(user)).await?)
    }

    /// Returns the password generated for the first administrator, until it is deleted.
    pub(crate) async fn generated_password(&self) -> Result<Option<String>, Error> {
        let Some(bytes) = self.secrets()?.get(GENERATED).await? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|error| Error::Internal(error.into()))
    }

    /// Stores a password generated for the first administrator unless there is one; returns the stored one.
    pub(crate) async fn keep_generated_password(&self, password: String) -> Result<String, Error> {
        write_once(self.secrets()?, GENERATED, password.as_bytes()).await?;
        Ok(self.generated_password().await?.unwrap_or(password))
    }

    /// Deletes the password generated for the first administrator.
    pub(crate) async fn forget_generated_password(&self) -> Result<(), Error> {
        Ok(self.secrets()?.delete(GENERATED).await?)
    }
}

/// Name of the secret with the password generated for the first administrator.
const GENERATED: &str = "bootstrap.password";

fn name(user: UserId) -> String {
    format!("password.{user}")
}
