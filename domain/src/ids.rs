//! Typed identifiers. What lives here: one newtype per kind of thing. What does not: how an id is made at random.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

ids! {
    /// A tenant of the platform.
    OrganizationId,
    /// A person who signs in.
    UserId,
    /// A kind of device with its declared metrics.
    DeviceTypeId,
    /// A logical device; the common name of its certificates.
    DeviceId,
    /// A device certificate.
    CertificateId,
    /// A token that a device presents over HTTP.
    DeviceTokenId,
    /// A one-time code that a device enrols with.
    ClaimCodeId,
    /// A channel by which people and programs are told of alarms.
    NotificationChannelId,
    /// One message over one channel.
    NotificationId,
    /// A key by which a machine calls the API.
    ApiKeyId,
    /// A kind of asset with its health model.
    AssetTypeId,
    /// A profile from which assets are made.
    AssetProfileId,
    /// A kind of activity.
    ActivityTypeId,
    /// A way to make metrics of payloads.
    ProtocolConverterId,
    /// A business asset that devices monitor.
    AssetId,
    /// A link of a device to an asset for a window of time.
    LinkId,
    /// A threshold rule.
    RuleId,
    /// A template from which activities are made.
    ActivityTemplateId,
    /// A work order.
    ActivityId,
    /// One episode of a rule's breach on one entity.
    AlarmId,
    /// One MQTT session of a device.
    SessionId,
}

/// Derives an id from a namespace and parts, so that the same facts always give the same id (RFC 9562, version 5).
pub fn derive(namespace: Uuid, parts: &[&str]) -> Uuid {
    Uuid::new_v5(&namespace, parts.join("\u{1f}").as_bytes())
}
