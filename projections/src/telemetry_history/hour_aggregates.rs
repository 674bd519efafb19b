//! Hourly aggregates. Those of open hours are kept in memory, since most are never needed from disk before the hour
//! ends; they are written when the hour has passed by the log's time. A crash loses them: the hours concerned are then
//! marked dirty and recomputed from the values (`upkeep`). Readers compute open and dirty hours from the values, so
//! that they are always correct.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::decode::DecodedBatch;
use super::late_detection::RoutedReadings;
use super::surrogate_keys::KeyedReading;
use crate::Error;
use crate::binary_copy::BinaryCopy;

/// An hour is compacted this many hours after its end at the earliest; most late readings have arrived by then.
pub const COMPACTED_AFTER_HOURS: i64 = 2;

/// Microseconds per hour.
pub const MICROS_PER_HOUR: i64 = 3_600_000_000;
/// How long after its end an hour stays open for late readings: ten minutes, in microseconds.
const GRACE: i64 = 600_000_000;
/// Hours that begin this many hours after a restart hold no readings from before it, even from devices whose clocks are
/// ahead.
const AHEAD_HOURS: i64 = 2;

/// At most this many hours before the very first readings are open. Older readings, such as the backlog that a device
/// uploads, are treated as late.
const FIRST_OPEN_HOURS: i64 = 24;

/// The aggregate of one entity, metric set and hour; arrays are in the order of the set's keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aggregate {
    pub counts: Vec<i32>,
    pub minima: Vec<f64>,
    pub maxima: Vec<f64>,
    pub sums: Vec<f64>,
    pub sources: BTreeSet<i32>,
}

impl Aggregate {
    /// Adds one reading.
    pub fn add(&mut self, numbers: &[f64], sources: &[i32]) {
        if self.counts.len() < numbers.len() {
            self.counts.resize(numbers.len(), 0);
            self.minima.resize(numbers.len(), f64::INFINITY);
            self.maxima.resize(numbers.len(), f64::NEG_INFINITY);
            self.sums.resize(numbers.len(), 0.0);
        }
        for (slot, number) in numbers.iter().enumerate() {
            self.counts[slot] += 1;
            self.minima[slot] = self.minima[slot].min(*number);
            self.maxima[slot] = self.maxima[slot].max(*number);
            self.sums[slot] += number;
        }
        self.sources.extend(sources);
    }
}

/// The key of an aggregate: hour (microseconds), entity, metric set.
pub type AggregateKey = (i64, i32, i32);

/// The open hours and their aggregates.
#[derive(Debug, Default)]
pub struct OpenHours {
    opened: bool,
    aggregates: BTreeMap<AggregateKey, Aggregate>,
    /// Open hours of entities whose aggregates cannot be summed in memory and must be recomputed from the rows.
    must_recompute: BTreeSet<(i64, i32)>,
    /// The first device that provided values for an asset in an open hour.
    first_sources: BTreeMap<(i64, i32), i32>,
    /// The aggregates of values that were computed from other values of the asset.
    computed: BTreeSet<AggregateKey>,
    /// Closed hours that received another reading in this batch.
    reopened: BTreeSet<(i64, i32)>,
    /// From this hour on, memory holds every reading; before it, a restart lost some.
    complete_from: i64,
    /// Hours before this one are closed.
    closed_before: i64,
    log_time: i64,
}

impl OpenHours {
    /// Advances the log's time; with the first readings after a start, also learns which hours are closed.
    pub async fn resume(&mut self, db: &mut PgConnection, decoded: &DecodedBatch) -> Result<(), Error> {
        let (Some(log_time), Some(first)) =
            (decoded.log_time, decoded.readings.iter().map(|row| row.measured_at).min())
        else {
            return Ok(());
        };
        self.log_time = self.log_time.max(log_time);
        if self.opened {
            return Ok(());
        }
        let known: Option<DateTime<Utc>> =
            sqlx::query_scalar("SELECT closed_before FROM telemetry_watermark").fetch_optional(&mut *db).await?;
        self.opened = true;
        if let Some(known) = known {
            self.closed_before = known.timestamp_micros();
            self.complete_from = hour_of(log_time) + AHEAD_HOURS * MICROS_PER_HOUR;
        } else {
            self.closed_before =
                hour_of(first.min(log_time)).max(hour_of(log_time) - FIRST_OPEN_HOURS * MICROS_PER_HOUR);
            self.complete_from = self.closed_before;
            self.store_watermark(db).await?;
        }
        Ok(())
    }

    /// Returns the start (microseconds) of the oldest hour that still takes readings as rows. Earlier hours are
    /// compacted into segments, or about to be.
    pub fn frozen_before(&self) -> i64 {
        if self.opened { self.closed_before - COMPACTED_AFTER_HOURS * MICROS_PER_HOUR } else { i64::MIN }
    }

    /// Adds the readings of a batch.
    pub fn add(&mut self, routed: &RoutedReadings) {
        for row in &routed.newest {
            let hour = hour_of(row.reading.measured_at);
            if hour < self.closed_before {
                self.reopened.insert((hour, row.entity));
            } else if hour >= self.complete_from {
                self.mark_overlap(row, hour);
                self.aggregates.entry((hour, row.entity, row.set)).or_default().add(&row.reading.numbers, &row.sources);
            }
        }
        for row in &routed.late {
            let hour = hour_of(row.reading.measured_at);
            let noted = if hour < self.closed_before { &mut self.reopened } else { &mut self.must_recompute };
            noted.insert((hour, row.entity));
        }
    }

    /// Marks an asset's hour for recomputation if a second device provides values, or the same metrics are measured and
    /// computed: several values may have the same time and metric, of which only one counts.
    fn mark_overlap(&mut self, row: &KeyedReading, hour: i64) {
        let (place, key) = ((hour, row.entity), (hour, row.entity, row.set));
        let source = row.sources.first();
        let second = source.is_some_and(|source| self.first_sources.entry(place).or_insert(*source) != source);
        let was_computed = self.computed.contains(&key);
        if row.reading.computed {
            self.computed.insert(key);
        }
        if second || self.aggregates.contains_key(&key) && was_computed != row.reading.computed {
            self.must_recompute.insert(place);
        }
    }

    /// Writes the aggregates of hours that have passed, and marks the dirty ones.
    pub async fn close(&mut self, db: &mut PgConnection) -> Result<(), Error> {
        let mut dirty = std::mem::take(&mut self.reopened);
        let until = hour_of(self.log_time - GRACE);
        if self.opened && until > self.closed_before {
            let incomplete = until.min(self.complete_from);
            let mut hour = self.closed_before;
            while hour < incomplete {
                mark_every_entity_dirty(db, hour).await?;
                hour += MICROS_PER_HOUR;
            }
            let open = self.aggregates.split_off(&(until, i32::MIN, i32::MIN));
            let over = std::mem::replace(&mut self.aggregates, open);
            let still_open = self.must_recompute.split_off(&(until, i32::MIN));
            let mut must_recompute = std::mem::replace(&mut self.must_recompute, still_open);
            let still_open = self.computed.split_off(&(until, i32::MIN, i32::MIN));
            let computed = std::mem::replace(&mut self.computed, still_open);
            must_recompute.extend(measured_and_computed(db, &over, &computed).await?);
            self.first_sources = self.first_sources.split_off(&(until, i32::MIN));
            store_aggregates(
                db,
                over.iter().filter(|((hour, entity, _), _)| !must_recompute.contains(&(*hour, *entity))),
            )
            .await?;
            dirty.extend(must_recompute);
            self.closed_before = until;
            self.store_watermark(db).await?;
        }
        mark_dirty(db, &dirty).await
    }

    async fn store_watermark(&self, db: &mut PgConnection) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO telemetry_watermark (closed_before) VALUES ($1)
             ON CONFLICT (is_only) DO UPDATE SET closed_before = excluded.closed_before",
        )
        .bind(DateTime::from_timestamp_micros(self.closed_before))
        .execute(db)
        .await?;
        Ok(())
    }
}

/// Returns the start of the hour that contains a time, both in microseconds.
pub fn hour_of(micros: i64) -> i64 {
    micros.div_euclid(MICROS_PER_HOUR) * MICROS_PER_HOUR
}

/// Inserts aggregates.
pub async fn store_aggregates<'a>(
    db: &mut PgConnection,
    aggregates: impl Iterator<Item = (&'a AggregateKey, &'a Aggregate)>,
) -> Result<(), Error> {
    let mut copy = BinaryCopy::default();
    for ((hour, entity, set), aggregate) in aggregates {
        copy.row(8);
        copy.int4(*entity);
        copy.timestamptz(*hour);
        copy.int4(*set);
        copy.int4s(&aggregate.counts);
        copy.float8s(&aggregate.minima);
        copy.float8s(&aggregate.maxima);
        copy.float8s(&aggregate.sums);
        let sources: Vec<i32> = aggregate.sources.iter().copied().collect();
        if sources.is_empty() { copy.null() } else { copy.int4s(&sources) }
    }
    copy.send(db, "telemetry_hour (entity, hour, metric_set, counts, minima, maxima, sums, sources)").await?;
    Ok(())
}

/// Returns the hours of assets in which a metric is both measured and computed.
async fn measured_and_computed(
    db: &mut PgConnection,
    over: &BTreeMap<AggregateKey, Aggregate>,
    computed: &BTreeSet<AggregateKey>,
) -> Result<Vec<(i64, i32)>, Error> {
    let beside = computed.iter().flat_map(|(hour, entity, set)| {
        let all = over.range((*hour, *entity, i32::MIN)..=(*hour, *entity, i32::MAX));
        let measured = all.map(|(key, _)| key).filter(|key| !computed.contains(key));
        measured.map(move |(.., other)| ((*hour, *entity), (*set, *other)))
    });
    let beside: Vec<((i64, i32), (i32, i32))> = beside.collect();
    let pairs: BTreeSet<(i32, i32)> = beside.iter().map(|(_, pair)| *pair).collect();
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let (sets, others): (Vec<i32>, Vec<i32>) = pairs.into_iter().unzip();
    let sql = "SELECT DISTINCT p.one, p.other FROM unnest($1::integer[], $2::integer[]) AS p (one, other)
        JOIN metric_slot s ON s.metric_set = p.one
        JOIN metric_slot t ON t.metric_set = p.other AND t.metric_key = s.metric_key";
    let sharing: Vec<(i32, i32)> = sqlx::query_as(sql).bind(sets).bind(others).fetch_all(db).await?;
    Ok(beside.into_iter().filter(|(_, pair)| sharing.contains(pair)).map(|(place, _)| place).collect())
}

async fn mark_every_entity_dirty(db: &mut PgConnection, hour: i64) -> Result<(), Error> {
    let sql = "INSERT INTO telemetry_dirty_hour SELECT key, $1 FROM telemetry_entity ON CONFLICT DO NOTHING";
    sqlx::query(sql).bind(DateTime::from_timestamp_micros(hour)).execute(db).await?;
    Ok(())
}

/// Marks hours as dirty. An existing mark is updated, which locks it until this transaction commits: upkeep then cannot
/// recompute the hour before the new readings are visible.
async fn mark_dirty(db: &mut PgConnection, dirty: &BTreeSet<(i64, i32)>) -> Result<(), Error> {
    if dirty.is_empty() {
        return Ok(());
    }
    let hours: Vec<_> = dirty.iter().filter_map(|(hour, _)| DateTime::from_timestamp_micros(*hour)).collect();
    let entities: Vec<i32> = dirty.iter().map(|(_, entity)| *entity).collect();
    let sql = "INSERT INTO telemetry_dirty_hour SELECT * FROM unnest($1::integer[], $2::timestamptz[])
        ON CONFLICT (entity, hour) DO UPDATE SET hour = excluded.hour";
    sqlx::query(sql).bind(entities).bind(hours).execute(db).await?;
    Ok(())
}
