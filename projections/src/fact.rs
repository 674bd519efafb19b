//! A domain event as the folds of this crate read it: typed, with who, when and where. What does not live here: packs of
//! telemetry, which each reader decodes for itself.

use chrono::{DateTime, Utc};
use domain::AnyEvent;
use domain::ids::OrganizationId;
use domain::metadata::Metadata;
use eventlog::{Message, RecordedEvent, Stream, Upcasters, decode_events};
use serde_json::Value;
use uuid::Uuid;

/// One domain event.
#[derive(Clone, Debug)]
pub struct Fact {
    /// The stream that stores it.
    pub stream: Stream,
    /// The stream sequence of its message.
    pub position: i64,
    /// Its place in the message, from 0.
    pub index: i32,
    /// The organisation it belongs to.
    pub organization: Uuid,
    /// Type of its aggregate.
    pub aggregate_type: String,
    /// Id of its aggregate.
    pub id: Uuid,
    /// The aggregate's version after it, from 1.
    pub version: i64,
    /// Its own id.
    pub event_id: Uuid,
    /// Its name.
    pub event_type: String,
    /// Its content as stored.
    pub payload: Value,
    /// Its content, typed.
    pub event: AnyEvent,
    /// Who, why and when.
    pub metadata: Metadata,
}

impl Fact {
    /// Returns when it was decided, by the platform's clock.
    pub fn at(&self) -> DateTime<Utc> {
        self.metadata.recorded_at
    }

    /// Returns who acted, as text.
    pub fn actor(&self) -> String {
        self.metadata.actor.to_string()
    }
}

/// A message that no fold can read, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// Reads the domain events of one message; all of them, or none.
pub fn facts(message: &Message) -> Result<Vec<Fact>, Unreadable> {
    let events = decode_events(message, &Upcasters::none()).map_err(|error| Unreadable(chain(&error)))?;
    events.into_iter().map(fact).collect()
}

fn fact(event: RecordedEvent) -> Result<Fact, Unreadable> {
    let unreadable = |what: &str| Unreadable(format!("{} has no readable {what}", event.event_type));
    let payload = without_nul(event.payload);
    let typed = AnyEvent::decode(&event.aggregate_type, &event.event_type, payload.clone())
        .map_err(|error| Unreadable(error.to_string()))?;
    let metadata = Metadata::from_map(&event.metadata).ok_or_else(|| unreadable("metadata"))?;
    Ok(Fact {
        stream: event.stream,
        position: signed(event.position),
        index: i32::try_from(event.index).unwrap_or(i32::MAX),
        organization: event.organization.parse::<OrganizationId>().map_err(|_| unreadable("organisation"))?.0,
        id: event.aggregate_id.parse().map_err(|_| unreadable("aggregate id"))?,
        version: signed(event.sequence),
        event_id: event.event_id,
        aggregate_type: event.aggregate_type,
        event_type: event.event_type,
        payload,
        event: typed,
        metadata,
    })
}

/// Returns a sequence as the database keeps it; sequences stay far below 2^63.
pub fn signed(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// Returns the text without U+0000, which PostgreSQL stores neither in text nor in jsonb.
pub fn clean(text: &str) -> String {
    text.replace('\0', "")
}

/// Returns the value without U+0000 in any of its texts.
pub fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(clean(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(map) => map.into_iter().map(|(key, value)| (clean(&key), without_nul(value))).collect(),
        other => other,
    }
}

/// Returns an error with its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Returns a unit variant of an enumeration as the text it is stored as.
pub fn text_of<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// Returns a value as JSON; null where it has no JSON form, which no stored type here lacks.
pub fn json_of<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_nul_character_never_reaches_the_database() {
        let value = json!({"a\u{0}": ["x\u{0}y", 1, null], "b": {"c": "d"}});
        assert_eq!(without_nul(value), json!({"a": ["xy", 1, null], "b": {"c": "d"}}));
    }
}
