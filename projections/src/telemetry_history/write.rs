//! Readings into their tables: daily partitions made ahead, rows by binary COPY.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days as Ahead, NaiveDate};
use sqlx::PgConnection;

use super::keys::Resolved;
use super::route::Routed;
use super::take::{Kind, Taken};
use crate::Error;
use crate::copy::Copy;

const COLUMNS: &str = "(measured_at, entity, metric_set, numbers, others, flaws, sources, position)";
/// Days that partitions are made ahead of the log.
const AHEAD_DAYS: u64 = 2;

/// The days that have partitions, as far as is known.
#[derive(Debug, Default)]
pub struct Days {
    made: BTreeSet<NaiveDate>,
    dropped_before: Option<NaiveDate>,
}

impl Days {
    /// Makes the partitions that a batch needs and those of the days to come; removes those that are
    /// over where nobody keeps more than `kept_days`.
    pub async fn make_ready(&mut self, db: &mut PgConnection, taken: &Taken, kept_days: u32) -> Result<(), Error> {
        let mut needed: BTreeSet<NaiveDate> = taken.rows.iter().filter_map(|row| day_of(row.measured_at)).collect();
        let today = taken.log_time.and_then(day_of);
        if let Some(today) = today {
            needed.extend((0..=AHEAD_DAYS).filter_map(|days| today.checked_add_days(Ahead::new(days))));
        }
        for day in needed.difference(&self.made.clone()) {
            sqlx::query("SELECT telemetry_add_day($1)").bind(day).execute(&mut *db).await?;
            self.made.insert(*day);
        }
        let first = today.and_then(|today| today.checked_sub_days(Ahead::new(kept_days.into())));
        if first > self.dropped_before {
            sqlx::query("SELECT telemetry_drop_days_before($1)").bind(first).execute(db).await?;
            self.dropped_before = first;
            self.made.retain(|day| Some(*day) >= first);
        }
        Ok(())
    }
}

/// Writes routed readings.
pub async fn rows(db: &mut PgConnection, routed: &Routed) -> Result<(), Error> {
    let mut days: BTreeMap<NaiveDate, Copy> = BTreeMap::new();
    for row in &routed.newest {
        if let Some(day) = day_of(row.row.measured_at) {
            put(days.entry(day).or_default(), row, row.row.kind == Kind::Asset);
        }
    }
    for (day, copy) in days {
        // Straight into the partition: routing every row through the parent costs a tenth more.
        copy.send(db, &format!("telemetry_reading_{} {COLUMNS}", day.format("%Y%m%d"))).await?;
    }
    let mut late = Copy::default();
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
