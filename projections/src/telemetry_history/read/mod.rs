//! Questions about the history of telemetry: the values themselves (`raw`), and aggregates of equal steps of time
//! (`aggregate`). Both are asked for one device or asset; the caller has checked whose it is.

mod aggregates;
mod values;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

pub use aggregates::{Aggregated, Step, aggregate};
pub use values::raw;

use crate::{Error, Reader};

/// Which values are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The device or asset.
    pub entity: Uuid,
    /// The one metric; all of them when absent.
    pub metric_key: Option<String>,
    /// Measured at or after.
    pub from: DateTime<Utc>,
    /// Measured before.
    pub until: DateTime<Utc>,
    /// At most so many points, 1 to 10,000.
    pub limit: usize,
    /// Of more than `limit` points the newest; else the oldest. They come in the order of time either way.
    pub newest: bool,
}

impl Query {
    /// Returns the limit within its bounds.
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
    /// Assets only: the devices it comes from.
    pub source_devices: Vec<Uuid>,
}

/// Lists the metrics an entity ever had numbers of, by key.
pub async fn metric_keys(reader: &Reader, entity: Uuid) -> Result<Vec<String>, Error> {
    let Some(key) = entity_key(reader, entity).await? else { return Ok(Vec::new()) };
    // A probe of the index for each set instead of a look at every row.
    let sql = "SELECT DISTINCT s.metric_key FROM metric_slot s WHERE s.metric_set IN (
            SELECT m.id FROM metric_set m
            WHERE EXISTS (SELECT FROM telemetry_hour h WHERE h.entity = $1 AND h.metric_set = m.id)
               OR EXISTS (SELECT FROM telemetry_reading r WHERE r.entity = $1 AND r.metric_set = m.id)
               OR EXISTS (SELECT FROM telemetry_late l WHERE l.entity = $1 AND l.metric_set = m.id))
        ORDER BY 1";
    Ok(sqlx::query_scalar(sql).bind(key).fetch_all(&reader.pool).await?)
}

/// Returns the number by which rows name an entity; none where it never sent anything.
pub(super) async fn entity_key(reader: &Reader, entity: Uuid) -> Result<Option<i32>, Error> {
    let sql = "SELECT key FROM telemetry_entity WHERE entity_id = $1";
    Ok(sqlx::query_scalar(sql).bind(entity).fetch_optional(&reader.pool).await?)
}

/// Returns the devices that numbers name.
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
