//! What the evaluator reads, and how rules see it.

use chrono::{DateTime, Utc};
use domain::directory::Directory;
use domain::ids::{AssetId, DeviceId, OrganizationId};
use domain::rule::EntityKind;
use domain::telemetry::{AssetPack, MetricValue, NormalizedPack, PresenceFact, decode_pack};
use eventlog::{Message, Stream};
use uuid::Uuid;

/// One input message.
pub enum Input {
    /// Readings of devices.
    Devices(NormalizedPack),
    /// Values and health of assets.
    Assets(AssetPack),
    /// Presence of devices.
    Presence(Vec<PresenceFact>),
}

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A device.
    Device(DeviceId),
    /// An asset, or a space.
    Asset(AssetId),
}

/// One reading of an entity, its values aside.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Its organisation.
    pub organization: OrganizationId,
    /// The entity.
    pub entity: Entity,
    /// Whose clock measured it.
    pub source: Uuid,
    /// When it was measured.
    pub measured_at: DateTime<Utc>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
}

impl Entity {
    /// Answers its id.
    pub fn id(self) -> Uuid {
        match self {
            Self::Device(id) => id.0,
            Self::Asset(id) => id.0,
        }
    }

    /// Answers its kind as of a position; none for an asset that is not known or out of use.
    pub fn kind(self, directory: &Directory, at: u64) -> Option<EntityKind> {
        match self {
            Self::Device(_) => Some(EntityKind::Device),
            Self::Asset(id) => directory.asset(id, at).filter(|asset| !asset.retired).map(|asset| asset.kind),
        }
    }
}

/// Reads an input message by its stream.
pub fn decode(message: &Message) -> Result<Input, String> {
    let at = |error: &dyn std::error::Error| format!("{error}: {}", message.subject);
    match message.stream {
        Stream::TelemetryNormalized => decode_pack(&message.payload).map(Input::Devices).map_err(|error| at(&error)),
        Stream::TelemetryAsset => decode_pack(&message.payload).map(Input::Assets).map_err(|error| at(&error)),
        Stream::Presence => serde_json::from_slice(&message.payload).map(Input::Presence).map_err(|error| at(&error)),
        other => Err(format!("{other} is no input of this stage")),
    }
}

/// Answers the value of a metric as rules compare it: true is 1, false is 0, text has none.
pub fn value(keys: &[String], numbers: &[f64], others: &[(String, MetricValue)], metric: &str) -> Option<f64> {
    if let Some(at) = keys.iter().position(|key| key == metric) {
        return numbers.get(at).copied();
    }
    match &others.iter().find(|(key, _)| key == metric)?.1 {
        MetricValue::Number(number) => Some(*number),
        MetricValue::Boolean(value) => Some(f64::from(u8::from(*value))),
        MetricValue::Text(_) => None,
    }
}
