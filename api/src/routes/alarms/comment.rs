//! Adds a comment to an alarm, open or closed.

use domain::alarm::AlarmCommand;

use super::view::{AlarmResponse, change};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The comment.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CommentAlarm {
    #[oai(validator(min_length = 1, max_length = 4000))]
    text: String,
}

#[OpenApi]
impl Api {
    /// Comment on an alarm
    #[oai(path = "/alarms/:id/comments", method = "post", tag = "Tag::Alarms", operation_id = "commentAlarm")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::AcknowledgeAlarms>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<CommentAlarm>,
    ) -> Result<Revised<AlarmResponse>, Problem> {
        let command = AlarmCommand::CommentAlarm { text: body.0.text };
        change(&state, &caller, Write { intent: &intent, expected }, id.0, command).await
    }
}
