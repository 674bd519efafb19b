//! Sets a user's password.

use domain::ids::UserId;
use domain::user::{User, UserCommand};

use super::Refusal;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::dispatch::recent_receipt;
use crate::error::Error;

/// Minimum and maximum characters of a password: at least 8, as NIST SP 800-63B, section 5.1.1.2, requires; the maximum
/// bounds the cost of hashing.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=200;

impl Commands {
    /// Sets a user's password and records the change. A repeat of a stored command id changes nothing, since the
    /// password may have been changed again in between.
    pub async fn set_password(
        &self,
        context: &CommandContext,
        user: UserId,
        password: &str,
    ) -> Result<Receipt, Error<Refusal>> {
        check_password(password).map_err(Error::Refused)?;
        let loaded = self.load_fresh::<User>(context.organization, user.0).await.map_err(Error::widen)?;
        if let Some(receipt) = recent_receipt(&loaded, context.command_id) {
            return Ok(receipt);
        }
        if !loaded.state.is_active() {
            let refusal = match (loaded.state.profile, loaded.state.erased) {
                (None, _) => domain::user::Error::NotFound,
                (_, true) => domain::user::Error::Erased,
                (_, false) => domain::user::Error::Deactivated,
            };
            return Err(Error::Refused(Refusal::User(refusal)));
        }
        let vault = &self.inner.vault;
        let hash = vault.passwords.hash(password).await.map_err(Error::widen)?;
        // Replaced before it is recorded: after a crash in between, a repeat sets the password again and records that.
        vault.replace_password_hash(user, &hash).await.map_err(Error::widen)?;
        self.forget_generated_password_of(user).await.map_err(Error::widen)?;
        let noted = self.execute::<User>(context, user.0, UserCommand::NotePasswordSet {}).await;
        noted.map_err(|error| error.map_refused(Refusal::User))
    }
}

pub(super) fn check_password(password: &str) -> Result<(), Refusal> {
    if PASSWORD_CHARS.contains(&password.chars().count()) { Ok(()) } else { Err(Refusal::InvalidPassword) }
}
