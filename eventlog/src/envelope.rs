//! The stored form of domain events. One message is a JSON array of envelopes: the events of one command. An envelope
//! stores the event's type separately from its content, and keeps the content's bytes unchanged until they are read.

use std::collections::HashMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use cqrs_es::persist::SerializedEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use crate::message::Message;
use crate::streams::Stream;
use crate::upcasters::Upcasters;

/// One stored event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// The event's id.
    pub event_id: Uuid,
    /// The aggregate's version after this event; versions start at 1 and have no gaps.
    pub sequence: u64,
    /// The event's name, such as `DeviceRenamed`.
    pub event_type: String,
    /// The version of the payload's schema, such as `1.0.0`.
    pub event_version: String,
    /// The event's content: the content of its enum variant.
    pub payload: Box<RawValue>,
    /// Metadata (who, why and when), all as strings.
    pub metadata: HashMap<String, String>,
}

/// One event as readers of the log receive it: upcast, with its location in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedEvent {
    /// The stream that stores it.
    pub stream: Stream,
    /// The stream sequence of its message.
    pub position: u64,
    /// Its place in the message, from 0.
    pub index: usize,
    /// The organisation it belongs to.
    pub organization: String,
    /// The type of its aggregate, such as `device`.
    pub aggregate_type: String,
    /// The id of its aggregate, without the organisation.
    pub aggregate_id: String,
    /// The event's id.
    pub event_id: Uuid,
    /// The aggregate's version after this event, from 1.
    pub sequence: u64,
    /// The event's name.
    pub event_type: String,
    /// The version of the payload's schema after upcasting.
    pub event_version: String,
    /// The event's content.
    pub payload: Value,
    /// Metadata: who, why and when.
    pub metadata: HashMap<String, String>,
    /// When the server stored the message.
    pub published_at: DateTime<Utc>,
}

/// Why events cannot be read or stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The subject is not that of an aggregate.
    #[error("{0} is not an aggregate's subject")]
    Subject(String),
    /// The payload is not an array of envelopes.
    #[error("message {position} of {stream} is not an array of envelopes")]
    Decode {
        /// The stream.
        stream: Stream,
        /// The stream sequence, 0 if unknown.
        position: u64,
        /// The JSON error.
        #[source]
        source: serde_json::Error,
    },
    /// An event does not match the schema of its type.
    #[error("event {event_type} {event_version} does not match its schema")]
    Event {
        /// The event's name.
        event_type: String,
        /// Its version.
        event_version: String,
        /// The JSON error.
        #[source]
        source: serde_json::Error,
    },
    /// An event is not serialised as an externally tagged variant of its type's name.
    #[error("event {0} is not serialised as {{\"{0}\": …}}")]
    Untagged(String),
}

impl Envelope {
    /// Wraps a domain event: serialises it externally tagged, then stores its type and its content separately.
    pub fn of<E: DomainEvent>(
        event: &E,
        event_id: Uuid,
        sequence: u64,
        metadata: HashMap<String, String>,
    ) -> Result<Envelope, Error> {
        let (event_type, event_version) = (event.event_type(), event.event_version());
        let malformed =
            |source| Error::Event { event_type: event_type.clone(), event_version: event_version.clone(), source };
        let tagged = serde_json::to_value(event).map_err(malformed)?;
        let content = content_of(tagged, &event_type)?;
        let payload = to_raw_value(&content).map_err(malformed)?;
        Ok(Envelope { event_id, sequence, event_type, event_version, payload, metadata })
    }

    /// Returns the domain event, upcast to its current version.
    pub fn event<E: DomainEvent>(&self, upcasters: &Upcasters) -> Result<E, Error> {
        let malformed = |source| Error::Event {
            event_type: self.event_type.clone(),
            event_version: self.event_version.clone(),
            source,
        };
        if !upcasters.concern(&self.event_type, &self.event_version) {
            // Fast path without upcasting: parse the stored text directly, without an intermediate `Value`.
            let tagged = format!("{{{}:{}}}", Value::from(self.event_type.as_str()), self.payload.get());
            return serde_json::from_str(&tagged).map_err(malformed);
        }
        let (event_type, _, content) = self.upcast(upcasters).map_err(malformed)?;
        let tagged = Value::Object([(event_type, content)].into_iter().collect());
        serde_json::from_value(tagged).map_err(malformed)
    }

    /// Returns type, version and content after upcasting.
    fn upcast(&self, upcasters: &Upcasters) -> Result<(String, String, Value), serde_json::Error> {
        let content: Value = serde_json::from_str(self.payload.get())?;
        if !upcasters.concern(&self.event_type, &self.event_version) {
            return Ok((self.event_type.clone(), self.event_version.clone(), content));
        }
        let event = upcasters.apply(SerializedEvent::new(
            String::new(),
            usize::try_from(self.sequence).unwrap_or(usize::MAX),
            String::new(),
            self.event_type.clone(),
            self.event_version.clone(),
            content,
            Value::Null,
        ));
        Ok((event.event_type, event.event_version, event.payload))
    }
}

/// Encodes the events of one command as one payload.
pub fn encode(envelopes: &[Envelope]) -> Result<Bytes, serde_json::Error> {
    serde_json::to_vec(envelopes).map(Bytes::from)
}

/// Decodes one payload into the envelopes of a command.
pub fn decode(payload: &[u8]) -> Result<Vec<Envelope>, serde_json::Error> {
    serde_json::from_slice(payload)
}

/// Decodes the events of one message, upcast to their current versions, in order.
pub fn decode_events(message: &Message, upcasters: &Upcasters) -> Result<Vec<RecordedEvent>, Error> {
    let (organization, aggregate_type, aggregate_id) = address(message)?;
    let unreadable = |source| Error::Decode { stream: message.stream, position: message.sequence, source };
    let envelopes = decode(&message.payload).map_err(unreadable)?;
    let recorded = envelopes.into_iter().enumerate().map(|(index, envelope)| {
        let (event_type, event_version, payload) = envelope.upcast(upcasters).map_err(unreadable)?;
        Ok(RecordedEvent {
            stream: message.stream,
            position: message.sequence,
            index,
            organization: organization.to_owned(),
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id: aggregate_id.to_owned(),
            event_id: envelope.event_id,
            sequence: envelope.sequence,
            event_type,
            event_version,
            payload,
            metadata: envelope.metadata,
            published_at: message.published_at,
        })
    });
    recorded.collect()
}

/// Reads organisation, aggregate type and aggregate id from a subject of domain events.
fn address(message: &Message) -> Result<(&str, &str, &str), Error> {
    let mut tokens = message.subject_tail().split('.');
    match (message.stream.is_domain(), tokens.next(), tokens.next(), tokens.next(), tokens.next()) {
        (true, Some(organization), Some(kind), Some(id), None) => Ok((organization, kind, id)),
        _ => Err(Error::Subject(message.subject.clone())),
    }
}

/// Extracts the content of an externally tagged variant; a unit variant has the content null.
fn content_of(tagged: Value, event_type: &str) -> Result<Value, Error> {
    match tagged {
        Value::Object(mut variant) if variant.len() == 1 => {
            variant.remove(event_type).ok_or_else(|| Error::Untagged(event_type.to_owned()))
        }
        Value::String(unit) if unit == event_type => Ok(Value::Null),
        _ => Err(Error::Untagged(event_type.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Happened {
        Renamed { name: String },
        Activated,
        Counted(u32),
    }

    impl DomainEvent for Happened {
        fn event_type(&self) -> String {
            match self {
                Self::Renamed { .. } => "Renamed",
                Self::Activated => "Activated",
                Self::Counted(_) => "Counted",
            }
            .to_owned()
        }

        fn event_version(&self) -> String {
            "1.0.0".to_owned()
        }
    }

    fn message(subject: &str, payload: Bytes) -> Message {
        Message {
            stream: Stream::Es,
            subject: subject.to_owned(),
            sequence: 5,
            published_at: DateTime::UNIX_EPOCH,
            headers: Default::default(),
            payload,
        }
    }

    fn envelope(event: &Happened, sequence: u64) -> Envelope {
        Envelope::of(event, Uuid::from_u128(sequence.into()), sequence, HashMap::new()).unwrap()
    }

    #[test]
    fn every_shape_of_variant_survives_storage() {
        for event in [Happened::Renamed { name: "pump \"7\"".into() }, Happened::Activated, Happened::Counted(3)] {
            let stored = encode(&[envelope(&event, 1)]).unwrap();
            let read = decode(&stored).unwrap();
            assert_eq!(read[0].event::<Happened>(&Upcasters::none()).unwrap(), event);
        }
    }

    #[test]
    fn type_and_content_are_stored_separately() {
        let stored = envelope(&Happened::Renamed { name: "a".into() }, 1);
        assert_eq!((stored.event_type.as_str(), stored.payload.get()), ("Renamed", r#"{"name":"a"}"#));
    }

    #[test]
    fn decoding_a_message_returns_its_events_with_their_address() {
        let payload = encode(&[envelope(&Happened::Activated, 1), envelope(&Happened::Counted(2), 2)]).unwrap();
        let events = decode_events(&message("es.acme.device.7", payload), &Upcasters::none()).unwrap();
        let places: Vec<_> = events.iter().map(|e| (e.position, e.index, e.sequence, e.event_type.as_str())).collect();
        assert_eq!(places, [(5, 0, 1, "Activated"), (5, 1, 2, "Counted")]);
        assert_eq!((events[0].organization.as_str(), events[0].aggregate_id.as_str()), ("acme", "7"));
    }

    #[test]
    fn older_versions_are_upcast_for_aggregates_and_readers_alike() {
        let upcasters = Upcasters::new(vec![Upcasters::step("Renamed", "2.0.0", |mut content| {
            content["name"] = format!("{} (old)", content["name"].as_str().unwrap_or_default()).into();
            content
        })]);
        let stored = envelope(&Happened::Renamed { name: "a".into() }, 1);
        assert_eq!(stored.event::<Happened>(&upcasters).unwrap(), Happened::Renamed { name: "a (old)".into() });
        let events = decode_events(&message("es.acme.device.7", encode(&[stored]).unwrap()), &upcasters).unwrap();
        assert_eq!((events[0].event_version.as_str(), &events[0].payload["name"]), ("2.0.0", &"a (old)".into()));
    }

    #[test]
    fn messages_that_hold_no_aggregate_events_are_refused() {
        let other = decode_events(&message("es.acme.device", Bytes::from("[]")), &Upcasters::none());
        assert!(matches!(other, Err(Error::Subject(_))));
        let broken = decode_events(&message("es.acme.device.7", Bytes::from("{}")), &Upcasters::none());
        assert!(matches!(broken, Err(Error::Decode { position: 5, .. })));
        let shape = envelope(&Happened::Activated, 1);
        let shape = Envelope { event_type: "Counted".into(), ..shape }.event::<Happened>(&Upcasters::none());
        assert!(matches!(shape, Err(Error::Event { .. })));
    }
}
