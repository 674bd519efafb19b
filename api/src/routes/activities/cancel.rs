//! Cancels an activity.

use domain::activity::ActivityCommand;

use super::view::{ActivityResponse, change};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Why the activity is cancelled.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct CancelActivity {
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
}

#[OpenApi]
impl Api {
    /// Cancel an activity
    #[oai(path = "/activities/:id/cancel", method = "post", tag = "Tag::Activities", operation_id = "cancelActivity")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WorkActivities>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<CancelActivity>,
    ) -> Result<Revised<ActivityResponse>, Problem> {
        let command = ActivityCommand::CancelActivity { reason: body.0.reason };
        change(&state, &caller, Write { intent: &intent, expected }, id.0, command).await
    }
}
