//! Erases a user: records the erasure, releases the address, deletes the password hash and the key of their data.

use domain::ids::UserId;
use domain::user::{Error as Refusal, User, UserCommand};

use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::error::Error;
use crate::unique_claim::Key;
use crate::vault::{EmailAddress, Field};

impl Commands {
    /// Erases a user's personal data permanently: name and address can no longer be decrypted anywhere. The key is
    /// deleted last, because it is needed to decrypt the address that must be released. If interrupted, any repeat
    /// completes it.
    pub async fn erase_user(&self, context: &CommandContext, user: UserId) -> Result<Receipt, Error<Refusal>> {
        let receipt = self.execute::<User>(context, user.0, UserCommand::EraseUser {}).await?;
        self.free_address(context, user).await.map_err(Error::widen)?;
        self.forget(user).await.map_err(Error::widen)?;
        Ok(receipt)
    }

    async fn free_address(&self, context: &CommandContext, user: UserId) -> Result<(), Error> {
        let state = self.load_fresh::<User>(context.organization, user.0).await?.state;
        let (Some(profile), Some(key)) = (state.profile, self.inner.vault.person_key(user).await?) else {
            return Ok(());
        };
        let address = key.open(Field::Email, &profile.email).and_then(|text| EmailAddress::parse(&text));
        match address {
            Some(address) => self.release(context, Key::email(&self.inner.vault.email_hash(&address)?), user.0).await,
            None => Ok(()),
        }
    }
}
