//! Recomputes the aggregates of dirty hours from the values.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::finite_sum::FiniteSum;
use sqlx::PgConnection;

use super::isolation::{self, EntityHour, NOT_FAILED};
use crate::Error;
use crate::telemetry_history::hour_aggregates::{Aggregate, store_aggregates};
use crate::telemetry_history::surrogate_keys::SurrogateKeys;
use crate::telemetry_history::value_queries::{AGGREGATES, MERGED, NEEDS_MERGE, PLAIN, SOURCES};

const STEP: &str = "recompute";

/// Hours of entities per transaction.
const MAX_PER_TRANSACTION: i64 = 200;

/// Dirty hours. `$1` the step, `$2` the limit.
const DUE: &str = "SELECT due.entity, due.hour FROM telemetry_dirty_hour due
    WHERE due.hour < (SELECT closed_before FROM telemetry_watermark) AND ";

/// Removes marks of dirty hours. A mark that the writer has locked has a reading in flight and is skipped until the
/// next run. A writer that marks one of these hours again waits until they are recomputed.
const TAKE: &str = "WITH taken AS (
        SELECT d.entity, d.hour FROM telemetry_dirty_hour d
        JOIN unnest($1::integer[], $2::timestamptz[]) AS p (entity, hour) USING (entity, hour)
        ORDER BY d.hour, d.entity FOR UPDATE OF d SKIP LOCKED)
    DELETE FROM telemetry_dirty_hour d USING taken t WHERE d.entity = t.entity AND d.hour = t.hour
    RETURNING d.entity, d.hour";

/// A metric's key, count, minimum, maximum, the two parts of its sum, and source devices.
type MetricAggregate = (String, i64, f64, f64, Option<f64>, Option<f64>, Option<Vec<i32>>);

/// Recomputes some dirty hours; returns whether there were any.
pub async fn run_step(db: &mut PgConnection) -> Result<bool, Error> {
    let sql = format!("{DUE}{NOT_FAILED} ORDER BY due.hour, due.entity LIMIT $2 FOR UPDATE OF due SKIP LOCKED");
    let due: Vec<EntityHour> = sqlx::query_as(&sql).bind(STEP).bind(MAX_PER_TRANSACTION).fetch_all(&mut *db).await?;
    isolation::process(db, STEP, &due, |db, hours| Box::pin(recompute(db, hours))).await
}

async fn recompute(db: &mut PgConnection, hours: &[EntityHour]) -> Result<bool, Error> {
    let (entities, starts): (Vec<i32>, Vec<DateTime<Utc>>) = hours.iter().copied().unzip();
    let taken: Vec<EntityHour> = sqlx::query_as(TAKE).bind(entities).bind(starts).fetch_all(&mut *db).await?;
    let mut keys = SurrogateKeys::default();
    for (entity, hour) in &taken {
        one(db, &mut keys, *entity, *hour).await?;
    }
    Ok(!taken.is_empty())
}

async fn one(db: &mut PgConnection, keys: &mut SurrogateKeys, entity: i32, hour: DateTime<Utc>) -> Result<(), Error> {
    let until = hour + TimeDelta::hours(1);
    let merge: bool = sqlx::query_scalar(NEEDS_MERGE).bind(entity).bind(hour).bind(until).fetch_one(&mut *db).await?;
    let values = if merge { MERGED } else { PLAIN };
    let sources = if merge { SOURCES } else { "NULL::integer[]" };
    let sql = format!("SELECT metric_key, {AGGREGATES}, {sources} FROM ({values}) v GROUP BY 1 ORDER BY 1");
    let metrics: Vec<MetricAggregate> =
        sqlx::query_as(&sql).bind(entity).bind(hour).bind(until).fetch_all(&mut *db).await?;
    let sql = "DELETE FROM telemetry_hour WHERE entity = $1 AND hour = $2";
    sqlx::query(sql).bind(entity).bind(hour).execute(&mut *db).await?;
    let mut groups: BTreeMap<Vec<i32>, Vec<MetricAggregate>> = BTreeMap::new();
    for metric in metrics {
        groups.entry(metric.6.clone().unwrap_or_default()).or_default().push(metric);
    }
    for (sources, metrics) in groups {
        let set = keys.set(db, metrics.iter().map(|metric| metric.0.clone()).collect()).await?;
        let place = (hour.timestamp_micros(), entity, set);
        store_aggregates(db, [(&place, &aggregate(&metrics, sources))].into_iter()).await?;
    }
    Ok(())
}

fn aggregate(metrics: &[MetricAggregate], sources: Vec<i32>) -> Aggregate {
    Aggregate {
        counts: metrics.iter().map(|metric| i32::try_from(metric.1).unwrap_or(i32::MAX)).collect(),
        minima: metrics.iter().map(|metric| metric.2).collect(),
        maxima: metrics.iter().map(|metric| metric.3).collect(),
        sums: metrics.iter().map(sum).collect(),
        sources: sources.into_iter().collect(),
    }
}

/// Returns the sum, which may be infinite: then readers aggregate the values again.
fn sum(metric: &MetricAggregate) -> f64 {
    let mut sum: FiniteSum = metric.4.into_iter().collect();
    sum.add_divided(metric.5.unwrap_or_default());
    sum.total()
}
