//! A domain event as the folds of this crate read it: decoded, with its place in the log and its metadata. Packs of
//! telemetry are decoded by each read model that reads them.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use domain::AnyEvent;
use domain::ids::OrganizationId;
use domain::metadata::Metadata;
use eventlog::{Message, RecordedEvent, Stream, Upcasters, decode_events, error_chain};
use serde_json::Value;
use uuid::Uuid;

use crate::sql_values::{strip_nul_json, to_bigint};

static UPCASTERS: LazyLock<Upcasters> = LazyLock::new(|| Upcasters::of(domain::CONVERSIONS));

/// A decoded domain event.
#[derive(Clone, Debug)]
pub struct DecodedEvent {
    /// The stream that stores it.
    pub stream: Stream,
    /// The stream sequence of its message.
    pub position: i64,
    /// Its index within the message, from 0.
    pub index: i32,
    /// The organisation it belongs to.
    pub organization: Uuid,
    /// The type of its aggregate.
    pub aggregate_type: String,
    /// The id of its aggregate.
    pub id: Uuid,
    /// The version of the aggregate after this event, from 1.
    pub version: i64,
    /// The id of the event itself.
    pub event_id: Uuid,
    /// The event's name.
    pub event_type: String,
    /// The payload as stored.
    pub payload: Value,
    /// The payload, typed.
    pub event: AnyEvent,
    /// Actor, cause and time.
    pub metadata: Metadata,
}

impl DecodedEvent {
    /// Returns when the event was recorded, by the platform's clock.
    pub fn recorded_at(&self) -> DateTime<Utc> {
        self.metadata.recorded_at
    }

    /// Returns the actor as text, such as `user:<id>`.
    pub fn actor(&self) -> String {
        self.metadata.actor.to_string()
    }
}

/// Why a message cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// Decodes the domain events of one message; errors if any of them cannot be decoded.
pub fn decode_message(message: &Message) -> Result<Vec<DecodedEvent>, Unreadable> {
    let events = decode_events(message, &UPCASTERS).map_err(|error| Unreadable(error_chain(&error)))?;
    events.into_iter().map(decode).collect()
}

fn decode(event: RecordedEvent) -> Result<DecodedEvent, Unreadable> {
    let unreadable = |what: &str| Unreadable(format!("{} has no readable {what}", event.event_type));
    let payload = strip_nul_json(event.payload);
    let typed = AnyEvent::decode(&event.aggregate_type, &event.event_type, payload.clone())
        .map_err(|error| Unreadable(error.to_string()))?;
    let metadata = Metadata::from_map(&event.metadata).ok_or_else(|| unreadable("metadata"))?;
    Ok(DecodedEvent {
        stream: event.stream,
        position: to_bigint(event.position),
        index: i32::try_from(event.index).unwrap_or(i32::MAX),
        organization: event.organization.parse::<OrganizationId>().map_err(|_| unreadable("organisation"))?.0,
        id: event.aggregate_id.parse().map_err(|_| unreadable("aggregate id"))?,
        version: to_bigint(event.sequence),
        event_id: event.event_id,
        aggregate_type: event.aggregate_type,
        event_type: event.event_type,
        payload,
        event: typed,
        metadata,
    })
}
