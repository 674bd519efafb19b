//! Queries of health.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{HealthChangeRow, HealthRow};
use crate::{Error, Reader};

/// Returns the current health of an asset; `None` if it was never scored.
pub async fn get(reader: &Reader, organization: Uuid, asset: Uuid) -> Result<Option<HealthRow>, Error> {
    let sql = "SELECT to_jsonb(h) FROM asset_health h WHERE organization_id = $1 AND asset_id = $2";
    reader.row("asset_health", sqlx::query_scalar(sql).bind(organization).bind(asset)).await
}

/// Lists the changes of an asset's health from `from` (inclusive) to `until` (exclusive), oldest first. If there are
/// more than `limit`, returns the newest.
pub async fn history(
    reader: &Reader,
    organization: Uuid,
    asset: Uuid,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<HealthChangeRow>, Error> {
    let sql = "SELECT to_jsonb(x) FROM (
            SELECT * FROM (
                SELECT * FROM asset_health_changes
                WHERE organization_id = $1 AND asset_id = $2 AND measured_at >= $3 AND measured_at < $4
                ORDER BY measured_at DESC, position DESC, ordinal DESC LIMIT $5) newest
            ORDER BY measured_at, position, ordinal) x";
    let query = sqlx::query_scalar(sql).bind(organization).bind(asset).bind(from).bind(until).bind(limit);
    reader.rows("asset_health_changes", query).await
}
