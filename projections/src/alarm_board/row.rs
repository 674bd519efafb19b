//! The rows of the alarm board.

use chrono::{DateTime, Utc};
use domain::alarming::Condition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::sheet::Row;

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmRow {
    /// The alarm.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// The rule.
    pub rule_id: Uuid,
    /// The rule's name then.
    pub rule_name: String,
    /// `device`, `asset` or `space`.
    pub entity_type: String,
    /// The entity.
    pub entity_id: Uuid,
    /// The metric.
    pub metric_key: String,
    /// The condition then.
    pub condition: Condition,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// The value that raised it.
    pub value: f64,
    /// Which breach of this rule and entity, from 1.
    pub episode: i64,
    /// When the breach began, by the device's clock.
    pub started_at: DateTime<Utc>,
    /// When it was raised, by the device's clock.
    pub raised_at: DateTime<Utc>,
    /// Whether the condition still holds.
    pub active: bool,
    /// When it no longer held, by the device's clock.
    pub returned_at: Option<DateTime<Utc>>,
    /// The value then.
    pub returned_value: Option<f64>,
    /// Whether a person has seen it.
    pub acknowledged: bool,
    /// When.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who, `user:<id>`.
    pub acknowledged_by: Option<String>,
    /// What they said.
    pub acknowledged_comment: Option<String>,
    /// When it was recorded, by the platform's clock.
    pub recorded_at: DateTime<Utc>,
    /// Version of the aggregate.
    pub version: i64,
    /// Position in `ES_ALARM` of the last change.
    pub position: i64,
}

impl Row for AlarmRow {
    const TABLE: &'static str = "alarms";

    fn key(&self) -> Uuid {
        self.id
    }
}

impl AlarmRow {
    /// Returns the state: `active_unacknowledged`, `active_acknowledged`, `returned_unacknowledged` or `normal`.
    pub fn state(&self) -> &'static str {
        match (self.active, self.acknowledged) {
            (true, false) => "active_unacknowledged",
            (true, true) => "active_acknowledged",
            (false, false) => "returned_unacknowledged",
            (false, true) => "normal",
        }
    }
}
