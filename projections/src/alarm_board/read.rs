//! Queries of alarms.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::AlarmRow;
use crate::paging::Order;
use crate::{Error, Page, Paging, Reader};

/// An alarm as lists and details show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The row.
    #[serde(flatten)]
    pub row: AlarmRow,
    /// The name of the entity.
    pub entity_name: Option<String>,
}

/// Filters a list of alarms; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlarmFilter {
    /// The condition still holds, or not.
    pub active: Option<bool>,
    /// Acknowledged, or not.
    pub acknowledged: Option<bool>,
    /// Open, or not. Open means active or unacknowledged, and not closed.
    pub open: Option<bool>,
    /// Shelved or suppressed by design, or not.
    pub suppressed: Option<bool>,
    /// Assigned to this user.
    pub assignee_id: Option<Uuid>,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: Option<String>,
    /// Of this entity.
    pub entity_id: Option<Uuid>,
    /// Of this rule.
    pub rule_id: Option<Uuid>,
    /// Raised at or after.
    pub from: Option<DateTime<Utc>>,
    /// Raised before.
    pub until: Option<DateTime<Utc>>,
}

const ALARM: &str = "SELECT m.*, coalesce(a.name, d.name) AS entity_name FROM alarms m
    LEFT JOIN assets a ON a.id = m.entity_id LEFT JOIN devices d ON d.id = m.entity_id";

/// Lists alarms; newest first.
pub async fn list(
    reader: &Reader,
    organization: Uuid,
    filter: &AlarmFilter,
    paging: Paging,
) -> Result<Page<Alarm>, Error> {
    let list = format!(
        "{ALARM} WHERE m.organization_id = $1 AND ($2::boolean IS NULL OR m.active = $2)
            AND ($3::boolean IS NULL OR m.acknowledged = $3) AND ($4::text IS NULL OR m.severity = $4)
            AND ($5::uuid IS NULL OR m.entity_id = $5) AND ($6::uuid IS NULL OR m.rule_id = $6)
            AND ($7::timestamptz IS NULL OR m.raised_at >= $7) AND ($8::timestamptz IS NULL OR m.raised_at < $8)
            AND ($9::boolean IS NULL OR ((m.active OR NOT m.acknowledged) AND m.closed IS NULL) = $9)
            AND ($10::boolean IS NULL OR (m.suppression IS NOT NULL) = $10)
            AND ($11::uuid IS NULL OR m.assignee_id = $11)"
    );
    let page = reader.page("alarms", &list, Order::newest("raised_at"), paging, |query| {
        query
            .bind(organization)
            .bind(filter.active)
            .bind(filter.acknowledged)
            .bind(filter.severity.clone())
            .bind(filter.entity_id)
            .bind(filter.rule_id)
            .bind(filter.from)
            .bind(filter.until)
            .bind(filter.open)
            .bind(filter.suppressed)
            .bind(filter.assignee_id)
    });
    page.await
}

/// Returns an alarm.
pub async fn get(reader: &Reader, organization: Uuid, alarm: Uuid) -> Result<Option<Alarm>, Error> {
    let sql = format!("SELECT to_jsonb(x) FROM ({ALARM} WHERE m.organization_id = $1 AND m.id = $2) x");
    reader.row("alarms", sqlx::query_scalar(&sql).bind(organization).bind(alarm)).await
}

/// The number of open alarms of one severity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlarmCounts {
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// Active alarms.
    pub active: i64,
    /// Unacknowledged alarms.
    pub unacknowledged: i64,
}

/// Counts open alarms by severity; suppressed and closed ones are excluded.
pub async fn counts(reader: &Reader, organization: Uuid) -> Result<Vec<AlarmCounts>, Error> {
    let sql = "SELECT to_jsonb(x) FROM (
            SELECT severity, count(*) FILTER (WHERE active) AS active,
                count(*) FILTER (WHERE NOT acknowledged) AS unacknowledged
            FROM alarms WHERE organization_id = $1 AND (active OR NOT acknowledged) AND closed IS NULL AND suppression IS NULL
            GROUP BY severity ORDER BY severity) x";
    reader.rows("alarms", sqlx::query_scalar(sql).bind(organization)).await
}
