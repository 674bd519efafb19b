//! How long each organisation's telemetry is kept: what they chose, and that what arrives when its day is over already
//! is not written. What does not live here: removing what is over (`upkeep`).

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use domain::AnyEvent;
use domain::organization::{DEFAULT_RETENTION_DAYS, OrganizationEvent};
use eventlog::{Message, Rejection, Stream};
use sqlx::PgConnection;
use uuid::Uuid;

use super::decode::DecodedBatch;
use super::write::day_of;
use crate::Error;
use crate::decoded_event::decode_message;
use crate::projection::rejection;

/// Days that organisations keep.
#[derive(Debug, Default)]
pub struct Retention {
    organizations: BTreeMap<Uuid, u32>,
    loaded: bool,
    today: Option<NaiveDate>,
}

/// An organisation began, or chose: its days.
pub type RetentionChange = (Uuid, u32);

/// Returns what organisations chose in a batch, and the messages that cannot be read.
pub fn retention_changes(batch: &[Message]) -> (Vec<RetentionChange>, Vec<Rejection>) {
    let (mut changes, mut rejected) = (Vec::new(), Vec::new());
    for message in batch.iter().filter(|message| message.stream == Stream::Es) {
        match decode_message(message) {
            Ok(events) => {
                changes.extend(events.iter().filter_map(|decoded| Some((decoded.id, retention_days(&decoded.event)?))));
            }
            Err(unreadable) => rejected.push(rejection(message, unreadable)),
        }
    }
    (changes, rejected)
}

fn retention_days(event: &AnyEvent) -> Option<u32> {
    match event {
        AnyEvent::Organization(OrganizationEvent::OrganizationFounded { .. }) => Some(DEFAULT_RETENTION_DAYS),
        AnyEvent::Organization(OrganizationEvent::TelemetryRetentionChanged { days }) => Some(*days),
        _ => None,
    }
}

impl Retention {
    /// Reads what is known, once, and moves on to the day of a batch.
    pub async fn resume(&mut self, db: &mut PgConnection, decoded: &DecodedBatch) -> Result<(), Error> {
        if !self.loaded {
            let sql = "SELECT organization_id, kept_days FROM telemetry_retention";
            let kept: Vec<(Uuid, i32)> = sqlx::query_as(sql).fetch_all(&mut *db).await?;
            self.organizations = kept.into_iter().map(|(id, days)| (id, days.unsigned_abs())).collect();
            self.loaded = true;
        }
        self.today = self.today.max(decoded.log_time.and_then(day_of));
        Ok(())
    }

    /// Takes out of a batch what is over for its organisation.
    pub fn drop_expired(&self, decoded: &mut DecodedBatch) {
        let Some(today) = self.today else { return };
        decoded.readings.retain(|row| {
            let days = self.organizations.get(&row.organization).copied().unwrap_or(DEFAULT_RETENTION_DAYS);
            day_of(row.measured_at).is_none_or(|day| Some(day) >= first_kept(today, days))
        });
    }

    /// Notes what organisations chose. What is over by a new choice is looked for from the first day there is.
    pub async fn store_changes(&mut self, db: &mut PgConnection, changes: Vec<RetentionChange>) -> Result<(), Error> {
        for (organization, days) in changes {
            sqlx::query(
                "INSERT INTO telemetry_retention (organization_id, kept_days) VALUES ($1, $2)
                 ON CONFLICT (organization_id) DO UPDATE SET kept_days = $2, removed_before = NULL",
            )
            .bind(organization)
            .bind(days.cast_signed())
            .execute(&mut *db)
            .await?;
            self.organizations.insert(organization, days);
        }
        Ok(())
    }
}

/// Returns the first of so many days up to today.
pub fn first_kept(today: NaiveDate, days: u32) -> Option<NaiveDate> {
    today.checked_sub_days(Days::new(days.into()))
}
