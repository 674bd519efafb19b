//! The rows of the alarm board.

use chrono::{DateTime, Utc};
use domain::alarm::AlarmState;
use domain::alarming::Condition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::activity_board::Comment;
use crate::row_batch::Row;
use crate::sql_values::nearest_time_or_null;

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmRow {
    /// The alarm.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// The rule.
    pub rule_id: Uuid,
    /// The rule's name when the alarm was raised.
    pub rule_name: String,
    /// `device`, `asset` or `space`.
    pub entity_type: String,
    /// The entity.
    pub entity_id: Uuid,
    /// The metric.
    pub metric_key: String,
    /// The condition when the alarm was raised.
    pub condition: Condition,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// The value that raised it.
    pub value: f64,
    /// The number of this breach of the rule by the entity, from 1.
    pub episode: i64,
    /// When the breach began, by the device's clock.
    pub started_at: DateTime<Utc>,
    /// When it was raised, by the device's clock.
    pub raised_at: DateTime<Utc>,
    /// Whether the condition still holds.
    pub active: bool,
    /// When the condition returned to normal, by the device's clock.
    pub returned_at: Option<DateTime<Utc>>,
    /// The value at that time.
    pub returned_value: Option<f64>,
    /// Whether a user has acknowledged it.
    pub acknowledged: bool,
    /// When it was acknowledged.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who acknowledged it, `user:<id>`.
    pub acknowledged_by: Option<String>,
    /// The comment of the acknowledgement.
    pub acknowledged_comment: Option<String>,
    /// How often the breach recurred within the rule's cooldown.
    pub repeats: i64,
    /// Why it notifies nobody: `shelved` or `out_of_service`.
    pub suppression: Option<String>,
    /// Until when it is shelved.
    #[serde(serialize_with = "nearest_time_or_null")]
    pub shelved_until: Option<DateTime<Utc>>,
    /// The user that it is assigned to.
    pub assignee_id: Option<Uuid>,
    /// The comments; oldest first.
    pub comments: Vec<Comment>,
    /// Why it is closed: `dismissed` or `superseded`.
    pub closed: Option<String>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Who dismissed it, `user:<id>`.
    pub dismissed_by: Option<String>,
    /// The reason given for the dismissal.
    pub dismissed_reason: Option<String>,
    /// The newer alarm of the same rule and entity that replaces it.
    pub superseded_by: Option<Uuid>,
    /// When it was recorded, by the platform's clock.
    pub recorded_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES_ALARM` of the last change.
    pub position: i64,
}

impl Row for AlarmRow {
    const TABLE: &'static str = "alarms";

    fn key(&self) -> Uuid {
        self.id
    }
}

impl AlarmRow {
    /// Returns its ISA-18.2 state.
    pub fn state(&self) -> AlarmState {
        match (&self.closed, self.suppression.as_deref()) {
            (Some(_), _) => AlarmState::Closed,
            (None, Some("shelved")) => AlarmState::Shelved,
            (None, Some(_)) => AlarmState::SuppressedByDesign,
            (None, None) => AlarmState::of(self.acknowledged, !self.active),
        }
    }
}
