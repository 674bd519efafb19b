//! Rooms: what a subscriber can subscribe to.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A room of the live feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Room {
    /// Everything of an organisation, with telemetry at most once a second for each device: `org:<id>`.
    Organization(Uuid),
    /// Every reading of a device and everything about it: `device:<id>`.
    Device(Uuid),
    /// Every value of an asset and everything about it: `asset:<id>`.
    Asset(Uuid),
    /// The notifications of one user: `user:<id>`.
    User(Uuid),
}

/// The text does not name a room.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a room: {0}")]
pub struct NotARoom(pub String);

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(id) => write!(f, "org:{id}"),
            Self::Device(id) => write!(f, "device:{id}"),
            Self::Asset(id) => write!(f, "asset:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
        }
    }
}

impl FromStr for Room {
    type Err = NotARoom;

    fn from_str(text: &str) -> Result<Self, NotARoom> {
        // Only the beginning is quoted: the text comes from a client and may be long.
        let invalid = || NotARoom(text.chars().take(80).collect());
        let (kind, id) = text.split_once(':').ok_or_else(invalid)?;
        let id = id.parse().map_err(|_| invalid())?;
        match kind {
            "org" => Ok(Self::Organization(id)),
            "device" => Ok(Self::Device(id)),
            "asset" => Ok(Self::Asset(id)),
            "user" => Ok(Self::User(id)),
            _ => Err(invalid()),
        }
    }
}
