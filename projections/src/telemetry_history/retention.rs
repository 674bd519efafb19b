//! How long each organisation keeps telemetry, and dropping readings that are already expired on arrival. Expired data
//! is removed by `upkeep::retention`.

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

/// The retention of each organisation, in days.
#[derive(Debug, Default)]
pub struct Retention {
    organizations: BTreeMap<Uuid, u32>,
    loaded: bool,
    today: Option<NaiveDate>,
}

/// An organisation was founded or changed its retention: its id and days.
pub type RetentionChange = (Uuid, u32);

/// Returns the retention changes in a batch, and the messages that cannot be read.
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
    /// Loads the retention of all organisations once, and advances to the day of the batch.
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

    /// Drops the readings of a batch that are past their organisation's retention.
    pub fn drop_expired(&self, decoded: &mut DecodedBatch) {
        let Some(today) = self.today else { return };
        decoded.readings.retain(|row| {
            let days = self.organizations.get(&row.organization).copied().unwrap_or(DEFAULT_RETENTION_DAYS);
            day_of(row.measured_at).is_none_or(|day| Some(day) >= first_kept(today, days))
        });
    }

    /// Stores retention changes. A change makes upkeep search for expired data from the oldest day again.
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

/// Returns the first day that is kept, given today and the retention in days.
pub fn first_kept(today: NaiveDate, days: u32) -> Option<NaiveDate> {
    today.checked_sub_days(Days::new(days.into()))
}
