//! Reactivates a suspended user.

use domain::user::{User, UserCommand};

use super::may_change::find_changeable;
use super::view::{UserResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Reactivate a user
    ///
    /// The user must sign in again, with the same password.
    #[oai(path = "/users/:id/reactivate", method = "post", tag = "Tag::Users", operation_id = "reactivateUser")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageUsers>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Revised<UserResponse>, Problem> {
        find_changeable(&state, &caller, id.0).await?;
        let command = UserCommand::ReactivateUser {};
        let receipt = state.commands.execute_at::<User>(&intent.context(&caller), id.0, command, expected.0).await?;
        after_write(&state, &caller, id.0, receipt).await
    }
}
