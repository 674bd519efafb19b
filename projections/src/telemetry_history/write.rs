//! Readings into their tables: hourly partitions made ahead, rows by binary COPY.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};
use sqlx::PgConnection;

use super::hours::{HOUR, hour_of};
use super::keys::Resolved;
use super::route::Routed;
use super::take::{Kind, Taken};
use crate::Error;
use crate::copy::Copy;

const COLUMNS: &str = "(measured_at, entity, metric_set, numbers, others, flaws, sources, position)";
/// Hours that partitions are made ahead of the log.
const AHEAD_HOURS: i64 = 2;

/// The partitions of hours, as far as is known: their names by the hour's beginning.
#[derive(Debug, Default)]
pub struct Partitions(BTreeMap<i64, String>);

impl Partitions {
    /// Makes the partitions that a batch needs and those of the hours to come, from `frozen_before` on.
    pub async fn make_ready(&mut self, db: &mut PgConnection, taken: &Taken, frozen_before: i64) -> Result<(), Error> {
        self.0 = self.0.split_off(&frozen_before);
        let mut needed: BTreeSet<i64> = taken.rows.iter().map(|row| hour_of(row.measured_at)).collect();
        if let Some(now) = taken.log_time.map(hour_of) {
            needed.extend((0..=AHEAD_HOURS).map(|hours| now + hours * HOUR));
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
pub async fn rows(db: &mut PgConnection, partitions: &Partitions, routed: &Routed) -> Result<(), Error> {
    let mut hours: BTreeMap<&str, Copy> = BTreeMap::new();
    let mut late = Copy::default();
    for row in &routed.newest {
        match partitions.0.get(&hour_of(row.row.measured_at)) {
            Some(name) => put(hours.entry(name).or_default(), row, row.row.kind == Kind::Asset),
            None => put(&mut late, row, true),
        }
    }
    for (name, copy) in hours {
        // Straight into the partition: routing every row through the parent costs a tenth more.
        copy.send(db, &format!("{name} {COLUMNS}")).await?;
    }
    routed.late.iter().for_each(|row| put(&mut late, row, true));
    late.send(db, &format!("telemetry_late {COLUMNS}")).await?;
    Ok(())
}

fn put(copy: &mut Copy, row: &Resolved, with_position: bool) {
    copy.row(8);
    copy.timestamptz(row.row.measured_at);
    copy.int4(row.entity);
    copy.int4(row.set);
    copy.float8s(&row.row.numbers);
    copy.jsonb_or_null(row.row.others.as_deref());
    copy.jsonb_or_null(row.row.flaws.as_deref());
    if row.sources.is_empty() {
        copy.null()
    } else {
        copy.int4s(&row.sources)
    }
    if with_position { copy.int8(row.row.position) } else { copy.null() }
}

/// Returns the day (UTC) of a time in microseconds.
pub fn day_of(micros: i64) -> Option<NaiveDate> {
    DateTime::from_timestamp_micros(micros).map(|at| at.date_naive())
}
