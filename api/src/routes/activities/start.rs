//! Starts an activity.

use domain::activity::ActivityCommand;

use super::view::{ActivityResponse, change};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Start an activity
    #[oai(path = "/activities/:id/start", method = "post", tag = "Tag::Activities", operation_id = "startActivity")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WorkActivities>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Revised<ActivityResponse>, Problem> {
        let command = ActivityCommand::StartActivity {};
        change(&state, &caller, Write { intent: &intent, expected }, id.0, command).await
    }
}
