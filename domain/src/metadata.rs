//! Metadata of every event: who caused it, and why.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{ApiKeyId, DeviceId, OrganizationId, UserId};

/// Who acted: an id or the name of a component, never a person's name or address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Actor {
    /// A signed-in user.
    User(UserId),
    /// A device.
    Device(DeviceId),
    /// A machine that called the API with an API key.
    ApiKey(ApiKeyId),
    /// A component of the platform, by name (`rule_evaluator`, `bootstrap`).
    System(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Device(id) => write!(f, "device:{id}"),
            Self::ApiKey(id) => write!(f, "api_key:{id}"),
            Self::System(name) => write!(f, "system:{name}"),
        }
    }
}

/// The text is not `user:<id>`, `device:<id>`, `api_key:<id>` or `system:<name>`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an actor: {0}")]
pub struct NotAnActor(pub String);

impl FromStr for Actor {
    type Err = NotAnActor;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || NotAnActor(text.to_owned());
        match text.split_once(':') {
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| refused()),
            Some(("device", id)) => id.parse().map(Self::Device).map_err(|_| refused()),
            Some(("api_key", id)) => id.parse().map(Self::ApiKey).map_err(|_| refused()),
            Some(("system", name)) if !name.is_empty() => Ok(Self::System(name.to_owned())),
            _ => Err(refused()),
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

impl TryFrom<String> for Actor {
    type Error = NotAnActor;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The metadata of an event, in addition to its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Who acted.
    pub actor: Actor,
    /// The organisation that the event belongs to.
    pub organization: OrganizationId,
    /// The command that caused the event; a repeated command with the same id has no further effect.
    pub command_id: Uuid,
    /// Groups everything that one request of a user caused, across aggregates.
    pub correlation_id: Uuid,
    /// The event or command that caused this one.
    pub causation_id: Option<Uuid>,
    /// When the command was decided, by the platform's clock.
    pub recorded_at: DateTime<Utc>,
    /// W3C trace context of the request that caused the event.
    pub traceparent: Option<String>,
}

impl Metadata {
    /// Converts the metadata to the string map that the event store stores.
    pub fn to_map(&self) -> HashMap<String, String> {
        let mut map = HashMap::from([
            ("actor".to_owned(), self.actor.to_string()),
            ("organization".to_owned(), self.organization.to_string()),
            ("command_id".to_owned(), self.command_id.to_string()),
            ("correlation_id".to_owned(), self.correlation_id.to_string()),
            ("recorded_at".to_owned(), self.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        ]);
        if let Some(id) = self.causation_id {
            map.insert("causation_id".to_owned(), id.to_string());
        }
        if let Some(text) = &self.traceparent {
            map.insert("traceparent".to_owned(), text.clone());
        }
        map
    }

    /// Converts a stored string map back; `None` if a required entry is missing or malformed.
    pub fn from_map(map: &HashMap<String, String>) -> Option<Self> {
        Some(Self {
            actor: map.get("actor")?.parse().ok()?,
            organization: map.get("organization")?.parse().ok()?,
            command_id: map.get("command_id")?.parse().ok()?,
            correlation_id: map.get("correlation_id")?.parse().ok()?,
            causation_id: map.get("causation_id").and_then(|id| id.parse().ok()),
            recorded_at: DateTime::parse_from_rfc3339(map.get("recorded_at")?).ok()?.to_utc(),
            traceparent: map.get("traceparent").cloned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_actor_round_trips_through_text() {
        let id = Uuid::from_u128(7);
        let actors = [
            Actor::User(UserId(id)),
            Actor::Device(DeviceId(id)),
            Actor::ApiKey(ApiKeyId(id)),
            Actor::System("bootstrap".into()),
        ];
        for actor in actors {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        for text in ["", "user:", "user:x", "api_key:x", "system:", "robot:1"] {
            assert!(text.parse::<Actor>().is_err(), "{text}");
        }
    }
}
