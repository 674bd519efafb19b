//! The rows of the alarm board.

use chrono::{DateTime, Utc};
use domain::alarm::AlarmState;
use domain::alarming::Condition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::activity_board::Comment;
use crate::row_batch::Row;

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
    /// How often the breach came back within the rule's pause.
    pub repeats: i64,
    /// Why nobody is to hear of it: `shelved` or `out_of_service`.
    pub suppression: Option<String>,
    /// Until when it is shelved.
    pub shelved_until: Option<DateTime<Utc>>,
    /// Who cares for it.
    pub assignee_id: Option<Uuid>,
    /// What people said, the oldest first.
    pub comments: Vec<Comment>,
    /// Why nobody needs to look at it any more: `dismissed` or `superseded`.
    pub closed: Option<String>,
    /// Since when.
    pub closed_at: Option<DateTime<Utc>>,
    /// Who dismissed it, `user:<id>`.
    pub dismissed_by: Option<String>,
    /// Why, in their words.
    pub dismissed_reason: Option<String>,
    /// The alarm of the same rule and entity that stands in its place.
    pub superseded_by: Option<Uuid>,
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
    /// Returns the state.
    pub fn state(&self) -> AlarmState {
        match (&self.closed, self.suppression.as_deref()) {
            (Some(_), _) => AlarmState::Closed,
            (None, Some("shelved")) => AlarmState::Shelved,
            (None, Some(_)) => AlarmState::SuppressedByDesign,
            (None, None) => AlarmState::of(self.acknowledged, !self.active),
        }
    }
}
