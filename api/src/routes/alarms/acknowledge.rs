//! Acknowledges an alarm: somebody has seen it.

use domain::alarm::{Alarm, AlarmCommand};
use projections::alarm_board::{NAME, read};

use super::view::AlarmResponse;
use crate::prelude::*;
use crate::routes::visible::seen;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// What there is to say.
#[derive(Object)]
#[oai(deny_unknown_fields)]
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
        let receipt = state.commands.execute_at::<Alarm>(&intent.context(&caller), id.0, command, expected.0).await?;
        let read = read::get(&state.reader, caller.organization.0, id.0);
        let alarm = seen(&state, NAME, (id.0, receipt), read).await?;
        Ok(Revised(alarm.into(), Some(receipt)))
    }
}
