//! Queries of activities.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ActivityRow;
use crate::paging::Order;
use crate::{Error, Page, Paging, Reader};

/// An activity as lists and details show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// The row.
    #[serde(flatten)]
    pub row: ActivityRow,
    /// The name of the target.
    pub target_name: Option<String>,
}

/// Filters a list of activities; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ActivityFilter {
    /// `pending`, `assigned`, `in_progress`, `done` or `cancelled`.
    pub status: Option<String>,
    /// `low`, `medium`, `high` or `critical`.
    pub priority: Option<String>,
    /// With this target.
    pub target_id: Option<Uuid>,
    /// Assigned to this user.
    pub assigned_user_id: Option<Uuid>,
    /// Assigned to this work role.
    pub assigned_role: Option<String>,
    /// Overdue, or not.
    pub overdue: Option<bool>,
    /// Caused by this alarm.
    pub alarm_id: Option<Uuid>,
}

const ACTIVITY: &str = "SELECT v.*, coalesce(a.name, d.name) AS target_name FROM activities v
    LEFT JOIN assets a ON a.id = v.target_id LEFT JOIN devices d ON d.id = v.target_id";

/// Lists activities; newest first.
pub async fn list(
    reader: &Reader,
    organization: Uuid,
    filter: &ActivityFilter,
    paging: Paging,
) -> Result<Page<Activity>, Error> {
    let list = format!(
        "{ACTIVITY} WHERE v.organization_id = $1 AND ($2::text IS NULL OR v.status = $2)
            AND ($3::text IS NULL OR v.priority = $3) AND ($4::uuid IS NULL OR v.target_id = $4)
            AND ($5::uuid IS NULL OR v.assigned_user_id = $5) AND ($6::text IS NULL OR v.assigned_role = $6)
            AND ($7::uuid IS NULL OR v.alarm_id = $7) AND ($8::boolean IS NULL OR v.overdue = $8)"
    );
    let page = reader.page("activities", &list, Order::newest("created_at"), paging, |query| {
        query
            .bind(organization)
            .bind(filter.status.clone())
            .bind(filter.priority.clone())
            .bind(filter.target_id)
            .bind(filter.assigned_user_id)
            .bind(filter.assigned_role.clone())
            .bind(filter.alarm_id)
            .bind(filter.overdue)
    });
    page.await
}

/// Returns an activity.
pub async fn get(reader: &Reader, organization: Uuid, activity: Uuid) -> Result<Option<Activity>, Error> {
    let sql = format!("SELECT to_jsonb(x) FROM ({ACTIVITY} WHERE v.organization_id = $1 AND v.id = $2) x");
    reader.row("activities", sqlx::query_scalar(&sql).bind(organization).bind(activity)).await
}
