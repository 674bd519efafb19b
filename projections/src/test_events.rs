//! Decoded events for the unit tests of folds, made without a log.

use chrono::{DateTime, TimeDelta, Utc};
use domain::AnyEvent;
use domain::ids::{OrganizationId, UserId};
use domain::metadata::{Actor, Metadata};
use eventlog::Stream;
use serde::Serialize;
use uuid::Uuid;

use crate::decoded_event::DecodedEvent;
use crate::fold::Fold;

pub const ORGANIZATION: Uuid = Uuid::from_u128(1);
pub const USER: Uuid = Uuid::from_u128(2);
pub const ID: Uuid = Uuid::from_u128(3);

/// Returns the time so many seconds after the epoch of the tests.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

/// Returns an event of the aggregate `ID` that makes it this version, recorded at that second and position.
pub fn decoded_event(kind: &str, version: i64, event: &impl Serialize) -> DecodedEvent {
    let tagged = serde_json::to_value(event).unwrap();
    let (event_type, payload) = tagged.as_object().unwrap().iter().next().unwrap();
    DecodedEvent {
        stream: Stream::for_aggregate(kind),
        position: version,
        index: 0,
        organization: ORGANIZATION,
        aggregate_type: kind.into(),
        id: ID,
        version,
        event_id: Uuid::from_u128(version.unsigned_abs().into()),
        event_type: event_type.clone(),
        payload: payload.clone(),
        event: AnyEvent::decode(kind, event_type, payload.clone()).unwrap(),
        metadata: Metadata {
            actor: Actor::User(UserId(USER)),
            organization: OrganizationId(ORGANIZATION),
            command_id: Uuid::nil(),
            correlation_id: Uuid::nil(),
            causation_id: None,
            recorded_at: at(version),
            traceparent: None,
        },
    }
}

/// Returns the rows of a fold after events of the aggregate `ID`, numbered from version 1.
pub fn rows_after<F: Fold, E: Serialize>(kind: &str, events: &[E]) -> F::Rows {
    let mut rows = F::Rows::default();
    for (version, event) in (1..).zip(events) {
        let decoded = decoded_event(kind, version, event);
        F::request_rows(&mut rows, &decoded);
        F::fold(&mut rows, &decoded);
    }
    rows
}
