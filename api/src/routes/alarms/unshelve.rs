//! Unshelves the alarms of a rule on an entity.

use domain::alarm::AlarmCommand;
use domain::shelving::{Shelving, ShelvingCommand, shelving_id};

use super::view::{AlarmResponse, find_breach, suppress};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Unshelve an alarm
    ///
    /// Alarms of this rule on this device or asset create activities and notifications again; an active one does so
    /// within seconds.
    #[oai(path = "/alarms/:id/unshelve", method = "post", tag = "Tag::Alarms", operation_id = "unshelveAlarm")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::AcknowledgeAlarms>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
    ) -> Result<Revised<AlarmResponse>, Problem> {
        let context = intent.context(&caller);
        let (alarm, breach) = find_breach(&state, &caller, id.0).await?;
        let (rule_id, entity_id) = (breach.rule_id, breach.entity_id);
        let command = ShelvingCommand::UnshelveAlarms { rule_id, entity_id };
        let shelving = shelving_id(rule_id, entity_id);
        state.commands.execute::<Shelving>(&context.step("shelving"), shelving, command).await?;
        suppress(&state, &caller, &context, (id.0, &alarm), AlarmCommand::SuppressAlarm { suppression: None }).await
    }
}
