//! Begins the work.

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
        id: Path<Uuid>,
    ) -> Result<Changed<ActivityResponse>, Problem> {
        let command = ActivityCommand::StartActivity {};
        change(&state, &caller, &intent, id.0, command).await
    }
}
