//! What came late for hours that are compacted already goes into their segments.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};

use super::COMPACTED_AFTER_HOURS;
use super::store::{self, ROW, Row, Stored};
use crate::Error;
use crate::telemetry_history::hours::hour_of;
use crate::telemetry_history::keys::Keys;
use crate::telemetry_history::line::Line;
use crate::telemetry_history::segment::{Segment, segments};

/// Hours of entities in one transaction. Each may be some megabytes.
const AT_ONCE: i64 = 100;

/// Hours of entities that have something late and no partition of readings.
const DUE: &str = "SELECT DISTINCT l.entity, date_trunc('hour', l.measured_at, 'UTC') AS hour
    FROM telemetry_late l
    WHERE l.measured_at < (SELECT closed_before - make_interval(hours => $1) FROM telemetry_watermark)
      AND NOT EXISTS (SELECT FROM telemetry_spans() AS s
        WHERE l.measured_at >= s.from_time AND l.measured_at < s.until_time)
    ORDER BY hour, l.entity LIMIT $2";

/// The same hours, as a table.
const PLACES: &str = "unnest($1::integer[], $2::timestamptz[]) AS p (entity, hour)";

/// Entities and hours, as the statements take them.
struct Places {
    entities: Vec<i32>,
    hours: Vec<DateTime<Utc>>,
}

/// Folds something late in; tells whether there was anything.
pub async fn some(db: &mut PgConnection) -> Result<bool, Error> {
    let due = sqlx::query_as(DUE).bind(i32::try_from(COMPACTED_AFTER_HOURS).unwrap_or(i32::MAX)).bind(AT_ONCE);
    let due: Vec<(i32, DateTime<Utc>)> = due.fetch_all(&mut *db).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let (entities, hours) = due.into_iter().unzip();
    let places = Places { entities, hours };
    let days = places.hours.iter().map(|hour| hour.date_naive()).collect();
    store::make_days(db, days).await?;
    let mut transaction = db.begin().await?;
    store::one_moment(&mut transaction).await?;
    let sets = store::sets(&mut transaction).await?;
    let mut lines = late(&mut transaction, &places).await?;
    for segment in stored(&mut transaction, &places).await? {
        lines.entry((segment.entity, segment.hour())).or_default().extend(segment.lines());
    }
    let mut made = Vec::new();
    for mut lines in lines.into_values() {
        lines.sort_by_key(|line| line.measured_at);
        made.extend(segments(lines, &sets));
    }
    places.remove(&mut transaction).await?;
    store::write(&mut transaction, &mut Keys::default(), made).await?;
    transaction.commit().await?;
    Ok(true)
}

type Lines = BTreeMap<(i32, i64), Vec<Line>>;

async fn late(db: &mut PgConnection, places: &Places) -> Result<Lines, Error> {
    let sql = format!(
        "SELECT {} FROM {PLACES} JOIN telemetry_late l
         ON l.entity = p.entity AND l.measured_at >= p.hour AND l.measured_at < p.hour + interval '1 hour'",
        ROW.replace("entity", "l.entity")
    );
    let rows: Vec<Row> = sqlx::query_as(&sql).bind(&places.entities).bind(&places.hours).fetch_all(db).await?;
    let mut lines = Lines::new();
    for row in rows {
        let line = store::line(row);
        lines.entry((line.entity, hour_of(line.measured_at))).or_default().push(line);
    }
    Ok(lines)
}

async fn stored(db: &mut PgConnection, places: &Places) -> Result<Vec<Segment>, Error> {
    let sql = format!(
        "SELECT g.* FROM {PLACES} JOIN telemetry_segment g ON g.entity = p.entity AND g.hour = p.hour {WITHIN}"
    );
    let bound = sqlx::query_as::<_, Stored>(&sql).bind(&places.entities).bind(&places.hours);
    let stored = bound.bind(places.hours.first()).bind(places.hours.last()).fetch_all(db).await?;
    Ok(stored.into_iter().map(Segment::from).collect())
}

/// Spares looking at the days of other hours. `$3` the first hour, `$4` the last.
const WITHIN: &str = "AND g.hour >= $3 AND g.hour <= $4";

impl Places {
    async fn remove(&self, db: &mut PgConnection) -> Result<(), Error> {
        let sql = format!(
            "DELETE FROM telemetry_segment g USING {PLACES} WHERE g.entity = p.entity AND g.hour = p.hour {WITHIN}"
        );
        let bound = sqlx::query(&sql).bind(&self.entities).bind(&self.hours);
        bound.bind(self.hours.first()).bind(self.hours.last()).execute(&mut *db).await?;
        let sql = format!(
            "DELETE FROM telemetry_late l USING {PLACES}
             WHERE l.entity = p.entity AND l.measured_at >= p.hour AND l.measured_at < p.hour + interval '1 hour'"
        );
        sqlx::query(&sql).bind(&self.entities).bind(&self.hours).execute(db).await?;
        Ok(())
    }
}
