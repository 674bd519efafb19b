//! Erases a user's personal data.

use domain::ids::UserId;

use super::may_change::find_changeable_other;
use super::view::{UserResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Erase a user
    ///
    /// Cannot be undone: name and e-mail address become unreadable everywhere, in events and in backups of the log, and
    /// the address becomes free. The user's actions stay recorded under their id. Nobody can erase themselves.
    #[oai(path = "/users/:id", method = "delete", tag = "Tag::Users", operation_id = "eraseUser")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageUsers>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
    ) -> Result<Revised<UserResponse>, Problem> {
        find_changeable_other(&state, &caller, id.0).await?;
        let receipt = state.commands.erase_user(&intent.context(&caller), UserId(id.0)).await?;
        after_write(&state, &caller, id.0, receipt).await
    }
}
