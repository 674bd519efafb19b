//! Assigns an alarm to a user.

use domain::alarm::AlarmCommand;

use super::view::{AlarmResponse, change};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The assignee.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct AssignAlarm {
    /// Null removes the assignee.
    #[oai(nullable)]
    assignee_id: Option<Uuid>,
}

#[OpenApi]
impl Api {
    /// Assign an alarm
    #[oai(path = "/alarms/:id/assign", method = "post", tag = "Tag::Alarms", operation_id = "assignAlarm")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::AcknowledgeAlarms>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<AssignAlarm>,
    ) -> Result<Revised<AlarmResponse>, Problem> {
        let command = AlarmCommand::AssignAlarm { assignee: body.0.assignee_id.map(domain::ids::UserId) };
        change(&state, &caller, Write { intent: &intent, expected }, id.0, command).await
    }
}
