//! The history of telemetry: one wide row a reading, written by binary COPY about once a second, late and repeated
//! readings beside it, aggregates of whole hours. What does not live here: compacting old rows into segments, which does
//! not exist yet; and the newest values (`latest_telemetry`).

mod hours;
mod keys;
pub mod read;
mod recompute;
mod route;
mod take;
#[cfg(test)]
mod tests;
mod write;

use eventlog::{Message, Rejection, Source, Stream};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;

use self::hours::Hours;
use self::keys::Keys;
use self::route::HighWater;
use self::take::{Taken, take};
use self::write::Days;
use crate::digest::Digest;
use crate::marks::Marks;
use crate::projection::Pace;
use crate::{Error, Projection};

/// The projection's name.
pub const NAME: &str = "telemetry_history";

/// About 5,000 readings of ten values, or a second, whichever comes first.
const PACE: Pace = Pace { max_messages: 500, max_bytes: 600 << 10, linger_ms: 900 };

/// The projection. What it holds in memory is a cache of its tables, and the aggregates of hours that are not over.
#[derive(Default)]
pub struct TelemetryHistory {
    marks: Marks,
    keys: Keys,
    high_water: HighWater,
    days: Days,
    hours: Hours,
    taken: Taken,
}

impl Projection for TelemetryHistory {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::all(Stream::TelemetryNormalized), Source::all(Stream::TelemetryAsset)]
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "telemetry_reading",
            "telemetry_late",
            "telemetry_hour",
            "telemetry_dirty_hour",
            "telemetry_watermark",
            "telemetry_entity",
            "metric_set",
            "metric_slot",
        ]
    }

    fn pace(&self) -> Pace {
        PACE
    }

    /// What readers see: where a row stands, and by which numbers entities and sets go, may differ after a rebuild.
    fn digests(&self) -> Vec<Digest> {
        vec![
            Digest::of_query("telemetry_history", "SELECT h::text FROM telemetry_history h"),
            Digest::of_query(
                "other values",
                "SELECT (e.entity_id, r.measured_at, r.others, r.flaws)::text FROM telemetry_row r
                 JOIN telemetry_entity e ON e.key = r.entity WHERE r.others IS NOT NULL OR r.flaws IS NOT NULL",
            ),
        ]
    }

    fn marks(&mut self) -> Option<&mut Marks> {
        Some(&mut self.marks)
    }

    fn forget(&mut self) {
        *self = Self::default();
    }

    fn prepare<'a>(&'a mut self, db: &'a mut PgConnection, batch: &'a [Message]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.taken = take(&mut self.marks, batch);
            self.days.make_ready(db, &self.taken).await?;
            self.keys.intern(db, &self.taken).await
        })
    }

    fn apply<'a>(
        &'a mut self,
        db: &'a mut PgConnection,
        _batch: &'a [Message],
    ) -> BoxFuture<'a, Result<Vec<Rejection>, Error>> {
        Box::pin(async move {
            let taken = std::mem::take(&mut self.taken);
            if !taken.refused.is_empty() {
                return Ok(taken.refused);
            }
            self.hours.open(db, &taken).await?;
            let rows = self.keys.resolve(taken);
            self.high_water.learn(db, &rows).await?;
            let routed = self.high_water.route(rows);
            write::rows(db, &routed).await?;
            self.hours.add(&routed);
            self.hours.close(db).await?;
            recompute::some(db, &mut self.keys, &mut self.hours).await?;
            Ok(Vec::new())
        })
    }
}
