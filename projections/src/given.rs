//! Facts for the tests of folds: what happened, without a log.

use chrono::{DateTime, TimeDelta, Utc};
use domain::AnyEvent;
use domain::ids::{OrganizationId, UserId};
use domain::metadata::{Actor, Metadata};
use eventlog::Stream;
use serde::Serialize;
use uuid::Uuid;

use crate::fact::Fact;
use crate::fold::Fold;

pub const ORGANIZATION: Uuid = Uuid::from_u128(1);
pub const USER: Uuid = Uuid::from_u128(2);
pub const ID: Uuid = Uuid::from_u128(3);

/// Seconds after the beginning of the tests' time.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
}

/// The nth event of an aggregate, recorded at second n and at position n.
pub fn fact(kind: &str, version: i64, event: &impl Serialize) -> Fact {
    let tagged = serde_json::to_value(event).unwrap();
    let (event_type, payload) = tagged.as_object().unwrap().iter().next().unwrap();
    Fact {
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

/// The sheets of a fold after some events.
pub fn folded<F: Fold>(facts: &[Fact]) -> F::Sheets {
    let mut sheets = F::Sheets::default();
    for fact in facts {
        F::touch(&mut sheets, fact);
        F::fold(&mut sheets, fact);
    }
    sheets
}

/// The sheets of a fold after events of one aggregate, from version 1 on.
pub fn after<F: Fold, E: Serialize>(kind: &str, events: &[E]) -> F::Sheets {
    let facts: Vec<Fact> = (1..).zip(events).map(|(version, event)| fact(kind, version, event)).collect();
    folded::<F>(&facts)
}
