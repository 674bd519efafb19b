//! The notice that an activity was made by itself. One message of the activities stream is one JSON object.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Origin;
use crate::alarming::Severity;
use crate::ids::{ActivityId, ActivityTemplateId, AlarmId, OrganizationId};
use crate::rule::EntityKind;

/// An activity that a threshold event led to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityNotice {
    /// Where in the threshold stream its cause stands; its source is the subject's last token.
    pub origin: Origin,
    /// The activity.
    pub activity_id: ActivityId,
    /// Its organisation.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// Priority.
    pub priority: Severity,
    /// The work role that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Kind of the thing to work on.
    pub target_type: EntityKind,
    /// The thing to work on.
    pub target_id: Uuid,
    /// The template it was created from.
    pub template_id: ActivityTemplateId,
    /// The alarm that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_id: Option<AlarmId>,
}
