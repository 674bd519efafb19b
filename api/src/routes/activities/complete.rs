//! Completes an activity.

use domain::activity::ActivityCommand;

use super::view::{ActivityResponse, change};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// An optional closing note.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CompleteActivity {
    #[oai(nullable, validator(max_length = 4000))]
    note: Option<String>,
}

#[OpenApi]
impl Api {
    /// Complete an activity
    #[oai(
        path = "/activities/:id/complete",
        method = "post",
        tag = "Tag::Activities",
        operation_id = "completeActivity"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WorkActivities>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<CompleteActivity>,
    ) -> Result<Revised<ActivityResponse>, Problem> {
        let command = ActivityCommand::CompleteActivity { note: body.0.note };
        change(&state, &caller, Write { intent: &intent, expected }, id.0, command).await
    }
}
