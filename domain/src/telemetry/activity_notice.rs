//! Notices of automatically created activities. One message of the activities stream is one JSON object.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Origin;
use crate::alarming::Severity;
use crate::ids::{ActivityId, ActivityTemplateId, AlarmId, OrganizationId};
use crate::rule::EntityKind;

/// An activity that a threshold event triggered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityNotice {
    /// Position of the threshold event in its stream; its source is the last token of the message's subject.
    pub origin: Origin,
    /// The activity.
    pub activity_id: ActivityId,
    /// Its organisation.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// Priority.
    pub priority: Severity,
    /// The assigned work role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Kind of the target entity.
    pub target_type: EntityKind,
    /// The target entity.
    pub target_id: Uuid,
    /// The template it was created from.
    pub template_id: ActivityTemplateId,
    /// The alarm that triggered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_id: Option<AlarmId>,
}
