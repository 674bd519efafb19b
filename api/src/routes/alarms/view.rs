//! Alarms in responses, and the helpers that change one.

use commands::{CommandContext, Receipt};
use domain::alarm::{self, AlarmCommand, Breach};
use domain::alarming::Suppression;
use projections::alarm_board::{NAME, read};

use crate::auth::Caller;
use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// An alarm.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Alarm {
    id: Uuid,
    organization_id: Uuid,
    rule_id: Uuid,
    rule_name: String,
    /// `device`, `asset` or `space`.
    entity_type: String,
    entity_id: Uuid,
    entity_name: Option<String>,
    metric_key: String,
    severity: String,
    /// `active_unacknowledged`, `active_acknowledged`, `returned_unacknowledged`, `normal`, `shelved` or
    /// `suppressed_by_design` (ISA-18.2), or `closed`.
    state: String,
    active: bool,
    /// The value that raised the alarm.
    value: f64,
    /// When the breach began.
    started_at: Time,
    /// When the breach had lasted for the rule's duration.
    raised_at: Time,
    returned_at: Option<Time>,
    returned_value: Option<f64>,
    acknowledged: bool,
    acknowledged_at: Option<Time>,
    acknowledged_by: Option<String>,
    acknowledged_comment: Option<String>,
    /// How often the breach recurred within the rule's cooldown.
    repeats: i64,
    /// Why it creates no activities and no notifications: `shelved` or `out_of_service`.
    suppression: Option<String>,
    shelved_until: Option<Time>,
    assignee_id: Option<Uuid>,
    comments: Vec<AlarmComment>,
    /// `dismissed` or `superseded`.
    closed: Option<String>,
    closed_at: Option<Time>,
    dismissed_by: Option<String>,
    dismissed_reason: Option<String>,
    /// The alarm of the same rule and entity that replaced it.
    superseded_by: Option<Uuid>,
    version: i64,
}

/// A comment.
#[derive(Debug, Object)]
pub struct AlarmComment {
    /// `user:<id>`.
    author: String,
    text: String,
    at: Time,
}

/// One alarm.
#[derive(Debug, Object)]
pub struct AlarmResponse {
    alarm: Alarm,
}

versioned!(AlarmResponse, alarm);

impl From<read::Alarm> for Alarm {
    fn from(alarm: read::Alarm) -> Self {
        let row = alarm.row;
        Self {
            state: row.state().to_string(),
            id: row.id,
            organization_id: row.organization_id,
            rule_id: row.rule_id,
            rule_name: row.rule_name,
            entity_type: row.entity_type,
            entity_id: row.entity_id,
            entity_name: alarm.entity_name,
            metric_key: row.metric_key,
            severity: row.severity,
            active: row.active,
            value: row.value,
            started_at: row.started_at.into(),
            raised_at: row.raised_at.into(),
            returned_at: row.returned_at.map(Into::into),
            returned_value: row.returned_value,
            acknowledged: row.acknowledged,
            acknowledged_at: row.acknowledged_at.map(Into::into),
            acknowledged_by: row.acknowledged_by,
            acknowledged_comment: row.acknowledged_comment,
            repeats: row.repeats,
            suppression: row.suppression,
            shelved_until: row.shelved_until.map(Into::into),
            assignee_id: row.assignee_id,
            comments: row.comments.into_iter().map(Into::into).collect(),
            closed: row.closed,
            closed_at: row.closed_at.map(Into::into),
            dismissed_by: row.dismissed_by,
            dismissed_reason: row.dismissed_reason,
            superseded_by: row.superseded_by,
            version: row.version,
        }
    }
}

impl From<read::Alarm> for AlarmResponse {
    fn from(alarm: read::Alarm) -> Self {
        Self { alarm: alarm.into() }
    }
}

impl From<projections::activity_board::Comment> for AlarmComment {
    fn from(comment: projections::activity_board::Comment) -> Self {
        Self { author: comment.author, text: comment.text, at: comment.at.into() }
    }
}

/// Executes a command on an alarm and returns the result.
pub async fn change(
    state: &State,
    caller: &Caller,
    write: Write<'_>,
    id: Uuid,
    command: AlarmCommand,
) -> Result<Revised<AlarmResponse>, Problem> {
    let context = write.intent.context(caller);
    let receipt = state.commands.execute_at::<alarm::Alarm>(&context, id, command, write.expected.0).await?;
    after_write(state, caller, id, receipt).await
}

/// Returns an alarm of the caller's organisation, and its breach.
pub async fn find_breach(state: &State, caller: &Caller, id: Uuid) -> Result<(alarm::Alarm, Breach), Problem> {
    let found = state.commands.load::<alarm::Alarm>(caller.organization, id).await.map_err(never_refused)?;
    let known = found.and_then(|(alarm, _)| alarm.breach.clone().map(|breach| (alarm, breach)));
    known.ok_or_else(|| Problem::not_found("alarm"))
}

/// Marks an alarm as shelved or unshelved right away, if its condition still holds. The stages would do the same, but a
/// user should not have to wait for them; an alarm that has returned to normal is left as it is.
pub async fn suppress(
    state: &State,
    caller: &Caller,
    context: &CommandContext,
    (id, alarm): (Uuid, &alarm::Alarm),
    command: AlarmCommand,
) -> Result<Revised<AlarmResponse>, Problem> {
    let is_by_design = alarm.suppression == Some(Suppression::OutOfService);
    let ends = matches!(command, AlarmCommand::SuppressAlarm { suppression: None });
    if is_by_design || (alarm.returned_to_normal && !ends) {
        let found = read::get(&state.reader, caller.organization.0, id).await?;
        return Ok(Revised(found.ok_or_else(|| Problem::not_found("alarm"))?.into(), None));
    }
    let receipt = state.commands.execute::<alarm::Alarm>(context, id, command).await?;
    after_write(state, caller, id, receipt).await
}

async fn after_write(
    state: &State,
    caller: &Caller,
    id: Uuid,
    receipt: Receipt,
) -> Result<Revised<AlarmResponse>, Problem> {
    let alarm =
        read_after_write(state, NAME, (id, receipt), read::get(&state.reader, caller.organization.0, id)).await?;
    Ok(Revised(alarm.into(), Some(receipt)))
}
