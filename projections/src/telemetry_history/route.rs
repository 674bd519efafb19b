//! Which readings are newer than everything of their entity, and which are late or repeated. The mark only routes: both
//! kinds are kept, and readers see them as one.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::keys::Resolved;
use super::take::Kind;
use crate::Error;

/// The newest time of each entity and source, microseconds. Devices have one source, themselves; the values of an asset
/// come from several devices, whose times need not be in step.
#[derive(Debug, Default)]
pub struct HighWater(HashMap<(i32, i32), i64>);

/// What stands for the source of computed values: no device has this key.
const COMPUTED: i32 = -1;

/// Readings by where they go, in the order of arrival.
#[derive(Debug, Default)]
pub struct Routed {
    /// Newer than what their entity had.
    pub newest: Vec<Resolved>,
    /// As old, or older; or of an hour that is compacted.
    pub late: Vec<Resolved>,
}

impl HighWater {
    /// Learns the marks of entities that are seen for the first time since the start. Only whether something is at or
    /// after the batch's first reading matters, so that few partitions are looked at.
    pub async fn learn(&mut self, db: &mut PgConnection, rows: &[Resolved]) -> Result<(), Error> {
        let mut unknown: BTreeMap<i32, i64> = BTreeMap::new();
        for row in rows.iter().filter(|row| !self.0.contains_key(&place(row))) {
            let first = unknown.entry(row.entity).or_insert(i64::MAX);
            *first = row.row.measured_at.min(*first);
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let entities: Vec<i32> = unknown.keys().copied().collect();
        let from: Vec<DateTime<Utc>> = unknown.values().filter_map(|at| DateTime::from_timestamp_micros(*at)).collect();
        let found: Vec<(i32, Option<DateTime<Utc>>)> = sqlx::query_as(
            "SELECT e.key, greatest(
                (SELECT max(r.measured_at) FROM telemetry_reading r
                 WHERE r.entity = e.key AND r.measured_at >= e.since),
                (SELECT max(g.ends_at) FROM telemetry_segment g
                 WHERE g.entity = e.key AND g.hour > e.since - interval '1 hour'))
             FROM unnest($1::integer[], $2::timestamptz[]) AS e (key, since)",
        )
        .bind(&entities)
        .bind(from)
        .fetch_all(db)
        .await?;
        let found: HashMap<i32, Option<DateTime<Utc>>> = found.into_iter().collect();
        for row in rows {
            let Some(first) = unknown.get(&row.entity) else { continue };
            let newest = found.get(&row.entity).copied().flatten().map(|at| at.timestamp_micros());
            self.0.entry(place(row)).or_insert(newest.unwrap_or(first - 1));
        }
        Ok(())
    }

    /// Routes readings in their order and moves the marks. What is older than `frozen_before` is late, whatever its entity
    /// had.
    pub fn route(&mut self, rows: Vec<Resolved>, frozen_before: i64) -> Routed {
        let mut routed = Routed::default();
        for row in rows {
            let at = row.row.measured_at;
            let mark = self.0.entry(place(&row)).or_insert(i64::MIN);
            let newer = at > *mark;
            *mark = at.max(*mark);
            let kind = if newer && at >= frozen_before { &mut routed.newest } else { &mut routed.late };
            kind.push(row);
        }
        routed
    }
}

fn place(row: &Resolved) -> (i32, i32) {
    match row.row.kind {
        Kind::Device => (row.entity, 0),
        Kind::Asset if row.row.computed => (row.entity, COMPUTED),
        Kind::Asset => (row.entity, row.sources.first().copied().unwrap_or(0)),
    }
}
