//! Queries of notifications.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::NotificationRow;
use crate::paging::Order;
use crate::{Error, Page, Paging, Reader};

/// Filters a list of notifications; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NotificationFilter {
    /// `pending`, `delivered` or `failed`.
    pub status: Option<String>,
    /// Over this channel.
    pub channel_id: Option<Uuid>,
    /// About this alarm.
    pub alarm_id: Option<Uuid>,
}

/// Lists notifications; newest first.
pub async fn list(
    reader: &Reader,
    organization: Uuid,
    filter: &NotificationFilter,
    paging: Paging,
) -> Result<Page<NotificationRow>, Error> {
    let list = "SELECT * FROM notifications WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2)
            AND ($3::uuid IS NULL OR channel_id = $3) AND ($4::text IS NULL OR notice->>'alarm_id' = $4)";
    let page = reader.page("notifications", list, Order::newest("created_at"), paging, |query| {
        let alarm = filter.alarm_id.map(|alarm| alarm.to_string());
        query.bind(organization).bind(filter.status.clone()).bind(filter.channel_id).bind(alarm)
    });
    page.await
}

/// Returns a notification.
pub async fn get(reader: &Reader, organization: Uuid, id: Uuid) -> Result<Option<NotificationRow>, Error> {
    let sql = "SELECT to_jsonb(n) FROM notifications n WHERE organization_id = $1 AND id = $2";
    reader.row("notifications", sqlx::query_scalar(sql).bind(organization).bind(id)).await
}

/// Lists the due notifications of all organisations other than mails; longest due first.
pub async fn due(reader: &Reader, now: DateTime<Utc>, most: i64) -> Result<Vec<NotificationRow>, Error> {
    let sql = "SELECT to_jsonb(n) FROM notifications n WHERE due_at <= $1 AND medium ->> 'type' <> 'email'
        ORDER BY due_at, id LIMIT $2";
    reader.rows("notifications", sqlx::query_scalar(sql).bind(now).bind(most)).await
}

/// Lists due mails likewise, except those of channels that delivered one after `since`.
pub async fn due_mails(
    reader: &Reader,
    now: DateTime<Utc>,
    since: DateTime<Utc>,
    most: i64,
) -> Result<Vec<NotificationRow>, Error> {
    let sql = "SELECT to_jsonb(n) FROM notifications n WHERE due_at <= $1 AND medium ->> 'type' = 'email'
            AND NOT EXISTS (SELECT FROM notifications d WHERE d.organization_id = n.organization_id
                AND d.channel_id IS NOT DISTINCT FROM n.channel_id AND d.status = 'delivered' AND d.updated_at > $2)
        ORDER BY due_at, id LIMIT $3";
    reader.rows("notifications", sqlx::query_scalar(sql).bind(now).bind(since).bind(most)).await
}
