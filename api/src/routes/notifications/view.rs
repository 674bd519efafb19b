//! Notifications in responses.

use commands::Receipt;
use domain::catalogue::notification_channel::Medium;
use projections::notification_outbox::{NAME, NotificationRow, read};

use crate::auth::Caller;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// A notification about a transition of an alarm or a device, sent over one channel.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Notification {
    id: Uuid,
    organization_id: Uuid,
    /// Absent if the rule itself names the URL.
    channel_id: Option<Uuid>,
    /// `webhook`, `email` or `push`.
    medium: String,
    /// Only for `webhook`.
    url: Option<String>,
    /// Only for `email` and `push`.
    work_roles: Option<Vec<String>>,
    /// `pending`, `delivered` or `failed`.
    status: String,
    attempts: i64,
    /// When the next attempt may begin.
    due_at: Option<Time>,
    /// Number of recipients reached.
    recipients: Option<i64>,
    /// Why the last attempt failed.
    reason: Option<String>,
    /// `THRESHOLD_BREACH`, `RETURN_TO_NORMAL` or `DEVICE_OFFLINE`.
    transition: String,
    alarm_id: Option<Uuid>,
    rule_id: Option<Uuid>,
    rule_name: Option<String>,
    /// `device`, `asset` or `space`.
    entity_type: String,
    entity_id: Uuid,
    severity: String,
    metric_key: Option<String>,
    value: Option<f64>,
    measured_at: Time,
    created_at: Time,
    updated_at: Time,
    version: i64,
}

/// One notification.
#[derive(Debug, Object)]
pub struct NotificationResponse {
    notification: Notification,
}

versioned!(NotificationResponse, notification);

impl From<NotificationRow> for Notification {
    fn from(row: NotificationRow) -> Self {
        let (medium, url, work_roles) = match row.medium {
            Medium::Webhook { url } => ("webhook", Some(url), None),
            Medium::Email { work_roles } => ("email", None, Some(work_roles)),
            Medium::Push { work_roles } => ("push", None, Some(work_roles)),
        };
        let notice = row.notice;
        let word = serde_json::to_value(notice.transition).unwrap_or_default();
        Self {
            id: row.id,
            organization_id: row.organization_id,
            channel_id: row.channel_id,
            medium: medium.to_owned(),
            url,
            work_roles,
            status: row.status,
            attempts: row.attempts,
            due_at: row.due_at.map(Into::into),
            recipients: row.recipients,
            reason: row.reason,
            transition: word.as_str().unwrap_or_default().to_owned(),
            alarm_id: notice.alarm_id.map(|alarm| alarm.0),
            rule_id: notice.rule_id.map(|rule| rule.0),
            rule_name: notice.rule_name,
            entity_type: notice.entity_type.to_string(),
            entity_id: notice.entity_id,
            severity: notice.severity.to_string(),
            metric_key: notice.metric_key,
            value: notice.value,
            measured_at: notice.measured_at.into(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version: row.version,
        }
    }
}

impl From<NotificationRow> for NotificationResponse {
    fn from(row: NotificationRow) -> Self {
        Self { notification: row.into() }
    }
}

/// Returns a notification of the caller's organisation.
pub async fn find(state: &State, caller: &Caller, id: Uuid) -> Result<NotificationResponse, Problem> {
    let row = read::get(&state.reader, caller.organization.0, id).await?;
    Ok(row.ok_or_else(|| Problem::not_found("notification"))?.into())
}

/// Returns a notification as it is after a write.
pub async fn after_write(
    state: &State,
    caller: &Caller,
    id: Uuid,
    receipt: Receipt,
) -> Result<NotificationResponse, Problem> {
    let row = read_after_write(state, NAME, (id, receipt), read::get(&state.reader, caller.organization.0, id)).await?;
    Ok(row.into())
}
