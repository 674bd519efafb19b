//! Writes readings to their tables: creates hourly partitions ahead, and rows by binary COPY.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};
use sqlx::PgConnection;

use super::decode::{DecodedBatch, EntityKind};
use super::hour_aggregates::{MICROS_PER_HOUR, hour_of};
use super::late_detection::RoutedReadings;
use super::surrogate_keys::KeyedReading;
use crate::Error;
use crate::binary_copy::BinaryCopy;

const COLUMNS: &str = "(measured_at, entity, metric_set, numbers, others, flaws, sources, position)";
/// Partitions are created this many hours ahead of the log's time.
const AHEAD_HOURS: i64 = 2;

/// The known partitions: their names by the start of the hour.
#[derive(Debug, Default)]
pub struct Partitions(BTreeMap<i64, String>);

impl Partitions {
    /// Creates the partitions that a batch needs and those of the next hours, none before `frozen_before`.
    pub async fn create(
        &mut self,
        db: &mut PgConnection,
        decoded: &DecodedBatch,
        frozen_before: i64,
    ) -> Result<(), Error> {
        self.0 = self.0.split_off(&frozen_before);
        let mut needed: BTreeSet<i64> = decoded.readings.iter().map(|row| hour_of(row.measured_at)).collect();
        if let Some(now) = decoded.log_time.map(hour_of) {
            needed.extend((0..=AHEAD_HOURS).map(|hours| now + hours * MICROS_PER_HOUR));
        }
        for hour in needed.split_off(&frozen_before) {
            if let Entry::Vacant(unknown) = self.0.entry(hour) {
                let sql = "SELECT telemetry_add_hour($1)";
                let at = DateTime::from_timestamp_micros(hour);
                unknown.insert(sqlx::query_scalar(sql).bind(at).fetch_one(&mut *db).await?);
            }
        }
        Ok(())
    }
}

/// Writes routed readings.
pub async fn write_readings(
    db: &mut PgConnection,
    partitions: &Partitions,
    routed: &RoutedReadings,
) -> Result<(), Error> {
    let mut hours: BTreeMap<&str, BinaryCopy> = BTreeMap::new();
    let mut late = BinaryCopy::default();
    for row in &routed.newest {
        match partitions.0.get(&hour_of(row.reading.measured_at)) {
            Some(name) => append_row(hours.entry(name).or_default(), row, row.reading.kind == EntityKind::Asset),
            None => append_row(&mut late, row, true),
        }
    }
    for (name, copy) in hours {
        // Directly into the partition: routing every row through the parent table takes about 10 % longer.
        copy.send(db, &format!("{name} {COLUMNS}")).await?;
    }
    routed.late.iter().for_each(|row| append_row(&mut late, row, true));
    late.send(db, &format!("telemetry_late {COLUMNS}")).await?;
    Ok(())
}

fn append_row(copy: &mut BinaryCopy, row: &KeyedReading, with_position: bool) {
    copy.row(8);
    copy.timestamptz(row.reading.measured_at);
    copy.int4(row.entity);
    copy.int4(row.set);
    copy.float8s(&row.reading.numbers);
    copy.jsonb_or_null(row.reading.others.as_deref());
    copy.jsonb_or_null(row.reading.flaws.as_deref());
    if row.sources.is_empty() {
        copy.null()
    } else {
        copy.int4s(&row.sources)
    }
    if with_position { copy.int8(row.reading.position) } else { copy.null() }
}

/// Returns the day (UTC) of a time in microseconds.
pub fn day_of(micros: i64) -> Option<NaiveDate> {
    DateTime::from_timestamp_micros(micros).map(|at| at.date_naive())
}
