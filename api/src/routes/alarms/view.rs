//! An alarm as the API shows it.

use projections::alarm_board::read;

use crate::prelude::*;

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
    /// `active_unacknowledged`, `active_acknowledged`, `returned_unacknowledged` or `normal` (ISA-18.2).
    state: String,
    active: bool,
    /// The value that raised it.
    value: f64,
    /// When the breach began.
    started_at: Time,
    /// When it had lasted long enough.
    raised_at: Time,
    returned_at: Option<Time>,
    returned_value: Option<f64>,
    acknowledged: bool,
    acknowledged_at: Option<Time>,
    acknowledged_by: Option<String>,
    acknowledged_comment: Option<String>,
    version: i64,
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
            state: row.state().to_owned(),
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
            version: row.version,
        }
    }
}

impl From<read::Alarm> for AlarmResponse {
    fn from(alarm: read::Alarm) -> Self {
        Self { alarm: alarm.into() }
    }
}
