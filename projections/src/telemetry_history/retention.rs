//! How long each organisation's telemetry is kept. A day that is over for all is dropped as a whole (`write`). Where one
//! organisation keeps less than another, its rows are removed here, a part with every batch, so that no batch waits
//! long. What arrives when its day is over already is not written at all.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use domain::AnyEvent;
use domain::organization::{DEFAULT_RETENTION_DAYS, OrganizationEvent};
use eventlog::{Message, Rejection, Stream};
use sqlx::PgConnection;
use uuid::Uuid;

use super::take::Taken;
use super::write::day_of;
use crate::Error;
use crate::fact::facts;
use crate::projection::rejection;

/// Readings that are removed with one batch, at most: several times what a batch brings.
const AT_ONCE: u64 = 20_000;
/// Organisations whose readings are removed with one batch, at most.
const ORGANIZATIONS_AT_ONCE: usize = 4;

/// What is kept how long.
#[derive(Debug, Default)]
pub struct Retention {
    organizations: BTreeMap<Uuid, Kept>,
    loaded: bool,
    today: Option<NaiveDate>,
    longest: u32,
}

/// What one organisation keeps.
#[derive(Clone, Copy, Debug)]
struct Kept {
    days: u32,
    /// Before this day nothing is left to remove.
    removed_before: Option<NaiveDate>,
}

/// An organisation began, or chose: its days.
pub type Choice = (Uuid, u32);

/// Returns what organisations chose in a batch, and the messages that cannot be read.
pub fn choices(batch: &[Message]) -> (Vec<Choice>, Vec<Rejection>) {
    let (mut choices, mut refused) = (Vec::new(), Vec::new());
    for message in batch.iter().filter(|message| message.stream == Stream::Es) {
        match facts(message) {
            Ok(facts) => choices.extend(facts.iter().filter_map(|fact| Some((fact.id, chosen(&fact.event)?)))),
            Err(unreadable) => refused.push(rejection(message, unreadable)),
        }
    }
    (choices, refused)
}

fn chosen(event: &AnyEvent) -> Option<u32> {
    match event {
        AnyEvent::Organization(OrganizationEvent::OrganizationFounded { .. }) => Some(DEFAULT_RETENTION_DAYS),
        AnyEvent::Organization(OrganizationEvent::TelemetryRetentionChanged { days }) => Some(*days),
        _ => None,
    }
}

impl Retention {
    /// Reads what is known, once, and moves on to the day of a batch.
    pub async fn open(&mut self, db: &mut PgConnection, taken: &Taken) -> Result<(), Error> {
        if !self.loaded {
            let sql = "SELECT organization_id, kept_days, removed_before FROM telemetry_retention";
            let rows: Vec<(Uuid, i32, Option<NaiveDate>)> = sqlx::query_as(sql).fetch_all(&mut *db).await?;
            let kept =
                |(id, days, removed_before): (Uuid, i32, _)| (id, Kept { days: days.unsigned_abs(), removed_before });
            self.organizations = rows.into_iter().map(kept).collect();
            self.loaded = true;
        }
        let today = taken.log_time.and_then(day_of);
        if today > self.today {
            self.today = today;
            self.longest = longest(db).await?;
        }
        Ok(())
    }

    /// Returns the most days that an organisation with telemetry keeps it.
    pub fn longest(&self) -> u32 {
        self.longest
    }

    /// Takes out of a batch what is over for its organisation.
    pub fn leave_out(&self, taken: &mut Taken) {
        let Some(today) = self.today else { return };
        taken.rows.retain(|row| {
            let days = self.organizations.get(&row.organization).map_or(DEFAULT_RETENTION_DAYS, |kept| kept.days);
            day_of(row.measured_at).is_none_or(|day| Some(day) >= first_kept(today, days))
        });
    }

    /// Notes what organisations chose. What is over by a new choice is looked for from the first day there is.
    pub async fn choose(&mut self, db: &mut PgConnection, choices: Vec<Choice>) -> Result<(), Error> {
        if choices.is_empty() {
            return Ok(());
        }
        for (organization, days) in choices {
            sqlx::query(
                "INSERT INTO telemetry_retention (organization_id, kept_days) VALUES ($1, $2)
                 ON CONFLICT (organization_id) DO UPDATE SET kept_days = $2, removed_before = NULL",
            )
            .bind(organization)
            .bind(days.cast_signed())
            .execute(&mut *db)
            .await?;
            self.organizations.insert(organization, Kept { days, removed_before: None });
        }
        self.longest = longest(db).await?;
        Ok(())
    }

    /// Removes some of what is over for organisations that keep less than another.
    pub async fn remove_some(&mut self, db: &mut PgConnection) -> Result<(), Error> {
        let Some(today) = self.today else { return Ok(()) };
        let shorter = self.organizations.iter_mut().filter(|(_, kept)| kept.days < self.longest);
        let due = shorter.filter_map(|(organization, kept)| {
            let until = first_kept(today, kept.days)?;
            kept.removed_before.is_none_or(|before| before < until).then_some((*organization, kept, until))
        });
        let mut room = AT_ONCE;
        for (organization, kept, until) in due.take(ORGANIZATIONS_AT_ONCE) {
            if room == 0 {
                break;
            }
            room = remove(db, organization, kept, until, room).await?;
        }
        Ok(())
    }
}

/// Returns the most days that an organisation with telemetry keeps it. One of which no event came yet chose nothing.
async fn longest(db: &mut PgConnection) -> Result<u32, Error> {
    let sql = "SELECT max(coalesce(kept_days, $1)) FROM (SELECT DISTINCT organization_id FROM telemetry_entity) e
        LEFT JOIN telemetry_retention USING (organization_id)";
    let days: Option<i32> = sqlx::query_scalar(sql).bind(DEFAULT_RETENTION_DAYS.cast_signed()).fetch_one(db).await?;
    Ok(days.map_or(DEFAULT_RETENTION_DAYS, i32::unsigned_abs))
}

/// Returns the first of so many days up to today.
fn first_kept(today: NaiveDate, days: u32) -> Option<NaiveDate> {
    today.checked_sub_days(Days::new(days.into()))
}

/// Removes what an organisation has before a day, of the readings at most `room`; answers the room that is left.
async fn remove(
    db: &mut PgConnection,
    organization: Uuid,
    kept: &mut Kept,
    until: NaiveDate,
    mut room: u64,
) -> Result<u64, Error> {
    let sql = "SELECT key FROM telemetry_entity WHERE organization_id = $1";
    let entities: Vec<i32> = sqlx::query_scalar(sql).bind(organization).fetch_all(&mut *db).await?;
    let sql = "SELECT day FROM telemetry_days_before($1) AS day WHERE $2 IS NULL OR day >= $2";
    let days: Vec<NaiveDate> =
        sqlx::query_scalar(sql).bind(until).bind(kept.removed_before).fetch_all(&mut *db).await?;
    let mut done = until;
    for day in days {
        room -= remove_readings(db, day, &entities, room).await?.min(room);
        if room == 0 {
            done = day;
            break;
        }
    }
    for (table, time) in
        [("telemetry_late", "measured_at"), ("telemetry_hour", "hour"), ("telemetry_dirty_hour", "hour")]
    {
        let sql = format!("DELETE FROM {table} WHERE entity = ANY($1) AND {time} < $2::timestamp AT TIME ZONE 'UTC'");
        sqlx::query(&sql).bind(&entities).bind(done).execute(&mut *db).await?;
    }
    let sql = "UPDATE telemetry_retention SET removed_before = $2 WHERE organization_id = $1";
    sqlx::query(sql).bind(organization).bind(done).execute(db).await?;
    kept.removed_before = Some(done);
    Ok(room)
}

/// Removes readings of one day, by their places in its table; answers how many.
async fn remove_readings(db: &mut PgConnection, day: NaiveDate, entities: &[i32], room: u64) -> Result<u64, Error> {
    let table = format!("telemetry_reading_{}", day.format("%Y%m%d"));
    let places = format!("SELECT ctid FROM {table} WHERE entity = ANY($1) LIMIT $2");
    let sql = format!("DELETE FROM {table} WHERE ctid = ANY(ARRAY({places}))");
    let limit = i64::try_from(room).unwrap_or(i64::MAX);
    Ok(sqlx::query(&sql).bind(entities).bind(limit).execute(db).await?.rows_affected())
}
