//! Queries of the telemetry history of one device or asset: raw values (`raw`) and aggregates over equal steps of time
//! (`aggregate`). The caller has checked that the entity belongs to the organisation.

mod aggregates;
mod values;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

pub use aggregates::{Aggregated, Step, aggregate};
pub use values::raw;

use crate::{Error, Reader};

/// Which values to return.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The device or asset.
    pub entity: Uuid,
    /// The metric; all when absent.
    pub metric_key: Option<String>,
    /// Measured at or after.
    pub from: DateTime<Utc>,
    /// Measured before.
    pub until: DateTime<Utc>,
    /// At most this many points, 1 to 10,000.
    pub limit: usize,
    /// If there are more than `limit` points: return the newest instead of the oldest. The order is by time either way.
    pub newest: bool,
}

impl Query {
    /// Returns the limit, clamped to its bounds.
    fn limit(&self) -> usize {
        self.limit.clamp(1, 10_000)
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// When it was measured, by the device's clock.
    pub measured_at: DateTime<Utc>,
    /// The metric.
    pub metric_key: String,
    /// A number, boolean or text.
    pub value: Value,
    /// `good`, `uncertain` or `bad`.
    pub quality: String,
    /// The devices that it comes from; empty for devices.
    pub source_devices: Vec<Uuid>,
}

/// Lists the keys of all metrics that an entity ever had numbers of.
pub async fn metric_keys(reader: &Reader, entity: Uuid) -> Result<Vec<String>, Error> {
    let Some(key) = entity_key(reader, entity).await? else { return Ok(Vec::new()) };
    // One index probe for each metric set instead of a scan of every row.
    let sql = "SELECT DISTINCT s.metric_key FROM metric_slot s WHERE s.metric_set IN (
            SELECT m.id FROM metric_set m
            WHERE EXISTS (SELECT FROM telemetry_hour h WHERE h.entity = $1 AND h.metric_set = m.id)
               OR EXISTS (SELECT FROM telemetry_reading r WHERE r.entity = $1 AND r.metric_set = m.id)
               OR EXISTS (SELECT FROM telemetry_late l WHERE l.entity = $1 AND l.metric_set = m.id))
        ORDER BY 1";
    Ok(sqlx::query_scalar(sql).bind(key).fetch_all(&reader.pool).await?)
}

/// Returns the surrogate key of an entity; `None` if it never sent anything.
pub(super) async fn entity_key(reader: &Reader, entity: Uuid) -> Result<Option<i32>, Error> {
    let sql = "SELECT key FROM telemetry_entity WHERE entity_id = $1";
    Ok(sqlx::query_scalar(sql).bind(entity).fetch_optional(&reader.pool).await?)
}

/// Returns the devices with these surrogate keys.
pub(super) async fn devices(
    reader: &Reader,
    keys: impl IntoIterator<Item = i32>,
) -> Result<std::collections::HashMap<i32, Uuid>, Error> {
    let keys: std::collections::BTreeSet<i32> = keys.into_iter().collect();
    if keys.is_empty() {
        return Ok(std::collections::HashMap::new());
    }
    let keys: Vec<i32> = keys.into_iter().collect();
    let sql = "SELECT key, entity_id FROM telemetry_entity WHERE key = ANY($1)";
    let found: Vec<(i32, Uuid)> = sqlx::query_as(sql).bind(keys).fetch_all(&reader.pool).await?;
    Ok(found.into_iter().collect())
}
