//! Rooms: who hears what.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Room {
    /// Everything of an organisation, telemetry at most once a second for each device: `org:<id>`.
    Organization(Uuid),
    /// Every reading of a device, and what concerns it: `device:<id>`.
    Device(Uuid),
    /// Every value of an asset, and what concerns it: `asset:<id>`.
    Asset(Uuid),
    /// What one person is to be told: `user:<id>`.
    User(Uuid),
}

/// The text names no room.
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
        let refused = || NotARoom(text.chars().take(80).collect());
        let (kind, id) = text.split_once(':').ok_or_else(refused)?;
        let id = id.parse().map_err(|_| refused())?;
        match kind {
            "org" => Ok(Self::Organization(id)),
            "device" => Ok(Self::Device(id)),
            "asset" => Ok(Self::Asset(id)),
            "user" => Ok(Self::User(id)),
            _ => Err(refused()),
        }
    }
}
