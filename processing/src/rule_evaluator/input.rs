//! The evaluator's input messages, and how rules see their contents.

use chrono::{DateTime, Utc};
use domain::alarming::Suppression;
use domain::directory::DirectoryView;
use domain::ids::{AssetId, DeviceId, OrganizationId, RuleId};
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

/// An entity that rules watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A device.
    Device(DeviceId),
    /// An asset, or a space.
    Asset(AssetId),
}

/// A stream that carries ticks of the log's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockedStream {
    /// The stream of device readings.
    Devices,
    /// The stream of asset values.
    Assets,
}

/// One reading of an entity, without its values.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    /// Its organisation.
    pub organization: OrganizationId,
    /// The entity.
    pub entity: Entity,
    /// When it was measured.
    pub measured_at: DateTime<Utc>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
}

impl Entity {
    /// Returns the entity's id.
    pub fn id(self) -> Uuid {
        match self {
            Self::Device(id) => id.0,
            Self::Asset(id) => id.0,
        }
    }

    /// Returns the stream of its readings.
    pub fn clocked_stream(self) -> ClockedStream {
        match self {
            Self::Device(_) => ClockedStream::Devices,
            Self::Asset(_) => ClockedStream::Assets,
        }
    }

    /// Returns its organisation, kind and type; none where it is unknown, decommissioned or retired.
    pub fn scope(self, directory: DirectoryView<'_>) -> Option<(OrganizationId, EntityKind, Uuid)> {
        match self {
            Self::Device(id) => directory
                .device(id)
                .filter(|device| !device.decommissioned)
                .map(|device| (device.organization, EntityKind::Device, device.device_type.0)),
            Self::Asset(id) => directory
                .asset(id)
                .filter(|asset| !asset.retired)
                .map(|asset| (asset.organization, asset.kind, asset.asset_type.0)),
        }
    }

    /// Returns why its alarms of a rule are suppressed at a time: the asset is out of service, or the alarms are
    /// shelved. A device counts as out of service when all assets that it is linked to are.
    pub fn suppression(self, directory: DirectoryView<'_>, rule: RuleId, now: DateTime<Utc>) -> Option<Suppression> {
        let is_out_of_service = match self {
            Self::Asset(id) => directory.is_out_of_service(id),
            Self::Device(id) => {
                let mut links = directory.links_of(id).iter().filter(|link| link.is_valid_at(now)).peekable();
                links.peek().is_some() && links.all(|link| directory.is_out_of_service(link.asset_id))
            }
        };
        if is_out_of_service {
            return Some(Suppression::OutOfService);
        }
        let until = directory.shelved_until(rule, self.id()).filter(|until| now < *until);
        until.map(|until| Suppression::Shelved { until })
    }
}

/// Decodes an input message according to its stream.
pub fn decode(message: &Message) -> Result<Input, String> {
    let at = |error: &dyn std::error::Error| format!("{error}: {}", message.subject);
    match message.stream {
        Stream::TelemetryNormalized => decode_pack(&message.payload).map(Input::Devices).map_err(|error| at(&error)),
        Stream::TelemetryAsset => decode_pack(&message.payload).map(Input::Assets).map_err(|error| at(&error)),
        Stream::Presence => serde_json::from_slice(&message.payload).map(Input::Presence).map_err(|error| at(&error)),
        other => Err(format!("{other} is not an input of this stage")),
    }
}

/// Returns the value of a metric as rules compare it: true is 1, false is 0, a text has no value.
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
