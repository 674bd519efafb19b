//! Suspends a user.

use domain::user::{User, UserCommand};

use super::may_change::find_changeable_other;
use super::view::{UserResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Why the user is suspended.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct SuspendUser {
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
}

#[OpenApi]
impl Api {
    /// Suspend a user
    ///
    /// The user can no longer sign in, and their sessions and tokens become invalid. Nobody can suspend themselves.
    #[oai(path = "/users/:id/suspend", method = "post", tag = "Tag::Users", operation_id = "suspendUser")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageUsers>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<SuspendUser>,
    ) -> Result<Revised<UserResponse>, Problem> {
        find_changeable_other(&state, &caller, id.0).await?;
        let command = UserCommand::DeactivateUser { reason: body.0.reason };
        let receipt = state.commands.execute_at::<User>(&intent.context(&caller), id.0, command, expected.0).await?;
        after_write(&state, &caller, id.0, receipt).await
    }
}
