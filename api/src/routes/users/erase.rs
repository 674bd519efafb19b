//! Erases a person's data.

use domain::ids::UserId;

use super::may_change::find_changeable_other;
use super::view::{UserResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Erase a person
    ///
    /// For good: name and address can no longer be read anywhere, in no event and no backup of the log; the address is free
    /// again. What they did stays, under their id. Nobody can erase themselves.
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
