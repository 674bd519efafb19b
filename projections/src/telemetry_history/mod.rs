//! The history of telemetry. Each reading is one wide row, written by binary COPY about once a second; late and
//! repeated readings go to a table of their own; closed hours have aggregates; old hours are compacted into segments of
//! arrays. Data is kept as long as its organisation's retention says. The newest values are in `latest_telemetry`.

mod decode;
mod hour_aggregates;
mod late_detection;
mod merged_reading;
pub mod read;
mod retention;
mod segment;
mod surrogate_keys;
#[cfg(test)]
mod tests;
mod upkeep;
mod value_queries;
mod write;

use eventlog::{Message, Rejection, Source, Stream};
use futures_util::future::BoxFuture;
use sqlx::{Connection, PgConnection};

use self::decode::{DecodedBatch, decode};
use self::hour_aggregates::OpenHours;
use self::late_detection::HighWater;
use self::retention::Retention;
use self::surrogate_keys::SurrogateKeys;
pub use self::upkeep::upkeep;
use self::write::Partitions;
use crate::digest::Digest;
use crate::origin_marks::OriginMarks;
use crate::projection::{BatchLimits, Written};
use crate::{Error, Projection};

/// The projection's name.
pub const NAME: &str = "telemetry_history";

/// About 5,000 readings of ten values, or about a second, whichever comes first.
const BATCH_LIMITS: BatchLimits = BatchLimits { max_messages: 500, max_bytes: 600 << 10, linger_ms: 900 };

/// Values that are not numbers or not of good quality; for one time and metric, the last to arrive.
const OTHERS: &str = "SELECT v::text FROM (
        SELECT DISTINCT ON (p.entity, p.measured_at, p.metric_key)
            e.entity_id, p.measured_at, p.metric_key, p.number, p.other, p.quality
        FROM telemetry_point p JOIN telemetry_entity e ON e.key = p.entity
        WHERE (p.entity, p.measured_at) IN (
            SELECT entity, measured_at FROM telemetry_point WHERE other IS NOT NULL OR quality IS NOT NULL)
        ORDER BY p.entity, p.measured_at, p.metric_key, p.position DESC) v
    WHERE other IS NOT NULL OR quality IS NOT NULL";

/// The projection. Its memory holds caches of its tables, and the aggregates of open hours, which are in no table yet.
#[derive(Default)]
pub struct TelemetryHistory {
    marks: OriginMarks,
    keys: SurrogateKeys,
    high_water: HighWater,
    partitions: Partitions,
    hours: OpenHours,
    retention: Retention,
}

impl Projection for TelemetryHistory {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sources(&self) -> Vec<Source> {
        let organizations = Source::filtered(Stream::Es, ["*.organization.*"]);
        vec![Source::all(Stream::TelemetryNormalized), Source::all(Stream::TelemetryAsset), organizations]
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "telemetry_reading",
            "telemetry_late",
            "telemetry_segment",
            "telemetry_hour",
            "telemetry_dirty_hour",
            "telemetry_failure",
            "telemetry_watermark",
            "telemetry_retention",
            "telemetry_entity",
            "metric_set",
            "metric_slot",
        ]
    }

    fn batch_limits(&self) -> BatchLimits {
        BATCH_LIMITS
    }

    /// What readers see. Which table holds a row, and its surrogate keys, may differ after a rebuild.
    fn digests(&self) -> Vec<Digest> {
        vec![
            Digest::of_query("telemetry_history", "SELECT h::text FROM telemetry_history h"),
            Digest::of_query("other values", OTHERS),
        ]
    }

    fn marks(&mut self) -> Option<&mut OriginMarks> {
        Some(&mut self.marks)
    }

    fn forget(&mut self) {
        *self = Self::default();
    }

    fn write<'b, 'c: 'b>(
        &'b mut self,
        db: &'c mut PgConnection,
        batch: &'b [Message],
    ) -> BoxFuture<'b, Result<Written<'c>, Error>> {
        Box::pin(async move {
            let decoded = self.prepare(db, batch).await?;
            let mut transaction = db.begin().await?;
            let rejected = self.apply(&mut transaction, batch, decoded).await?;
            Ok(Written { transaction, rejected })
        })
    }
}

impl TelemetryHistory {
    /// Decodes a batch and creates the partitions and surrogate keys that it needs. Both are created outside the
    /// transaction: they never change once created, so a retry finds and uses them.
    async fn prepare(&mut self, db: &mut PgConnection, batch: &[Message]) -> Result<DecodedBatch, Error> {
        let mut decoded = decode(&mut self.marks, batch);
        self.retention.resume(db, &decoded).await?;
        self.retention.drop_expired(&mut decoded);
        self.hours.resume(db, &decoded).await?;
        self.partitions.create(db, &decoded, self.hours.frozen_before()).await?;
        self.keys.intern(db, &decoded).await?;
        Ok(decoded)
    }

    /// Writes a decoded batch within a transaction; returns the messages that cannot be read, and then writes nothing.
    async fn apply(
        &mut self,
        db: &mut PgConnection,
        batch: &[Message],
        mut decoded: DecodedBatch,
    ) -> Result<Vec<Rejection>, Error> {
        let (changes, rejected) = retention::retention_changes(batch);
        decoded.rejected.extend(rejected);
        if !decoded.rejected.is_empty() {
            return Ok(decoded.rejected);
        }
        self.retention.store_changes(db, changes).await?;
        let rows = self.keys.resolve(decoded);
        self.high_water.learn(db, &rows).await?;
        let routed = self.high_water.route(rows, self.hours.frozen_before());
        write::write_readings(db, &self.partitions, &routed).await?;
        self.hours.add(&routed);
        self.hours.close(db).await?;
        Ok(Vec::new())
    }
}
