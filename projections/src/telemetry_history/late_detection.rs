//! Separates readings newer than everything of their entity from late or repeated ones. This decides only the table:
//! both kinds are kept, and queries merge them.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::decode::EntityKind;
use super::surrogate_keys::KeyedReading;
use crate::Error;

/// The newest time (microseconds) of each entity and source. A device has one source, itself; the values of an asset
/// come from several devices, whose times advance independently.
#[derive(Debug, Default)]
pub struct HighWater(HashMap<(i32, i32), i64>);

/// The source of computed values; no device has this key.
const COMPUTED: i32 = -1;

/// Readings by the table they go to, in order of arrival.
#[derive(Debug, Default)]
pub struct RoutedReadings {
    /// Newer than any reading of their entity and source.
    pub newest: Vec<KeyedReading>,
    /// Not newer, or of an hour that is already compacted.
    pub late: Vec<KeyedReading>,
}

impl HighWater {
    /// Loads the marks of entities seen for the first time since the start. It matters only whether a reading exists at
    /// or after the batch's first one, so few partitions are searched.
    pub async fn learn(&mut self, db: &mut PgConnection, rows: &[KeyedReading]) -> Result<(), Error> {
        let mut unknown: BTreeMap<i32, i64> = BTreeMap::new();
        for row in rows.iter().filter(|row| !self.0.contains_key(&place(row))) {
            let first = unknown.entry(row.entity).or_insert(i64::MAX);
            *first = row.reading.measured_at.min(*first);
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

    /// Routes readings in order and moves the marks. A reading older than `frozen_before` is always late.
    pub fn route(&mut self, rows: Vec<KeyedReading>, frozen_before: i64) -> RoutedReadings {
        let mut routed = RoutedReadings::default();
        for row in rows {
            let at = row.reading.measured_at;
            let mark = self.0.entry(place(&row)).or_insert(i64::MIN);
            let newer = at > *mark;
            *mark = at.max(*mark);
            let kind = if newer && at >= frozen_before { &mut routed.newest } else { &mut routed.late };
            kind.push(row);
        }
        routed
    }
}

fn place(row: &KeyedReading) -> (i32, i32) {
    match row.reading.kind {
        EntityKind::Device => (row.entity, 0),
        EntityKind::Asset if row.reading.computed => (row.entity, COMPUTED),
        EntityKind::Asset => (row.entity, row.sources.first().copied().unwrap_or(0)),
    }
}
