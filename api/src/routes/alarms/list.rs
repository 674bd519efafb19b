//! Lists alarms.

use poem_openapi::Enum;
use projections::alarm_board::read::{self, AlarmFilter};

use super::view::Alarm;
use crate::enums::Severity;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Whether the condition still holds.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum AlarmStatus {
    Active,
    Cleared,
}

page! {
    /// One page of the list.
    Alarms { alarms: Alarm }
}

#[OpenApi]
impl Api {
    /// List alarms
    ///
    /// Newest first. `total` is capped at 10,001.
    #[oai(path = "/alarms", method = "get", tag = "Tag::Alarms", operation_id = "listAlarms")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        #[oai(name = "state")] status: Query<Option<AlarmStatus>>,
        acknowledged: Query<Option<bool>>,
        /// Whether the alarm still needs attention.
        open: Query<Option<bool>>,
        /// Whether the alarm is shelved or out of service.
        suppressed: Query<Option<bool>>,
        #[oai(name = "assigneeId")] assignee_id: Query<Option<Uuid>>,
        severity: Query<Option<Severity>>,
        #[oai(name = "entityId")] entity_id: Query<Option<Uuid>>,
        #[oai(name = "ruleId")] rule_id: Query<Option<Uuid>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Alarms>, Problem> {
        let filter = AlarmFilter {
            active: status.0.map(|status| status == AlarmStatus::Active),
            acknowledged: acknowledged.0,
            open: open.0,
            suppressed: suppressed.0,
            assignee_id: assignee_id.0,
            severity: severity.0.map(|severity| severity.as_str().to_owned()),
            entity_id: entity_id.0,
            rule_id: rule_id.0,
            from: None,
            until: None,
        };
        let page = read::list(&state.reader, caller.organization.0, &filter, paging(limit, offset, &cursor)?).await?;
        Ok(Json(Alarms::new(page)))
    }
}
