//! Dismisses an alarm for good.

use domain::alarm::AlarmCommand;

use super::view::{AlarmResponse, change};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Why the alarm is dismissed.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct DismissAlarm {
    #[oai(validator(min_length = 1, max_length = 4000))]
    reason: String,
}

#[OpenApi]
impl Api {
    /// Dismiss an alarm
    ///
    /// Closes the alarm, so that it no longer counts as open. The next breach raises a new alarm; to suppress alarms
    /// for a time, shelve them instead.
    #[oai(path = "/alarms/:id/dismiss", method = "post", tag = "Tag::Alarms", operation_id = "dismissAlarm")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::AcknowledgeAlarms>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<DismissAlarm>,
    ) -> Result<Revised<AlarmResponse>, Problem> {
        let command = AlarmCommand::DismissAlarm { reason: body.0.reason };
        change(&state, &caller, Write { intent: &intent, expected }, id.0, command).await
    }
}
