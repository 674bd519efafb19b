//! Shelves the alarms of a rule on an entity for a time (ISA-18.2).

use domain::alarm::AlarmCommand;
use domain::alarming::Suppression;
use domain::shelving::{Shelving, ShelvingCommand, shelving_id};

use super::view::{AlarmResponse, find_breach, suppress};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Until when, and why.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct ShelveAlarm {
    /// At most 30 days ahead.
    until: Time,
    #[oai(validator(min_length = 1, max_length = 4000))]
    reason: String,
}

#[OpenApi]
impl Api {
    /// Shelve an alarm
    ///
    /// Until then, alarms of this rule on this device or asset are recorded but create no activities and no
    /// notifications. This applies to the alarm itself, if its condition still holds, and to later ones.
    #[oai(path = "/alarms/:id/shelve", method = "post", tag = "Tag::Alarms", operation_id = "shelveAlarm")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::AcknowledgeAlarms>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
        body: Body<ShelveAlarm>,
    ) -> Result<Revised<AlarmResponse>, Problem> {
        let context = intent.context(&caller);
        let (alarm, breach) = find_breach(&state, &caller, id.0).await?;
        let (rule_id, entity_id, until) = (breach.rule_id, breach.entity_id, body.0.until.0);
        let command =
            ShelvingCommand::ShelveAlarms { rule_id, entity_id, now: state.now(), until, reason: body.0.reason };
        let shelving = shelving_id(rule_id, entity_id);
        // Steps have command ids derived from the request, so that a repeat resumes an interrupted request.
        state.commands.execute::<Shelving>(&context.step("shelving"), shelving, command).await?;
        let shelved = AlarmCommand::SuppressAlarm { suppression: Some(Suppression::Shelved { until }) };
        suppress(&state, &caller, &context, (id.0, &alarm), shelved).await
    }
}
