//! Assigns an activity to a user or a work role.

use domain::activity::ActivityCommand;

use super::view::{ActivityResponse, change};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The assignee: a user or a work role.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct AssignActivity {
    #[oai(nullable)]
    assigned_to_user_id: Option<Uuid>,
    #[oai(nullable, validator(max_length = 60))]
    assigned_role: Option<String>,
}

#[OpenApi]
impl Api {
    /// Assign an activity
    #[oai(path = "/activities/:id/assign", method = "post", tag = "Tag::Activities", operation_id = "assignActivity")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WorkActivities>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<AssignActivity>,
    ) -> Result<Revised<ActivityResponse>, Problem> {
        let command = ActivityCommand::AssignActivity {
            role: body.0.assigned_role,
            user_id: body.0.assigned_to_user_id.map(domain::ids::UserId),
        };
        change(&state, &caller, Write { intent: &intent, expected }, id.0, command).await
    }
}
