//! Acknowledges an alarm.

use domain::alarm::AlarmCommand;

use super::view::{AlarmResponse, change};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// An optional comment.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct AcknowledgeAlarm {
    #[oai(nullable, validator(max_length = 4000))]
    comment: Option<String>,
}

#[OpenApi]
impl Api {
    /// Acknowledge an alarm
    #[oai(path = "/alarms/:id/acknowledge", method = "post", tag = "Tag::Alarms", operation_id = "acknowledgeAlarm")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::AcknowledgeAlarms>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<AcknowledgeAlarm>,
    ) -> Result<Revised<AlarmResponse>, Problem> {
        let command = AlarmCommand::AcknowledgeAlarm { comment: body.0.comment };
        change(&state, &caller, Write { intent: &intent, expected }, id.0, command).await
    }
}
