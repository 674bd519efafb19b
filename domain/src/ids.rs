//! Typed identifiers: one newtype per kind of thing. Random ids are generated outside this crate.

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
    /// A user who signs in.
    UserId,
    /// A device type.
    DeviceTypeId,
    /// A logical device; the common name of its certificates.
    DeviceId,
    /// A device certificate.
    CertificateId,
    /// An HTTP token of a device.
    DeviceTokenId,
    /// A one-time code with which a device enrols.
    ClaimCodeId,
    /// A channel that delivers alarm notifications to users and webhooks.
    NotificationChannelId,
    /// One message over one channel.
    NotificationId,
    /// An API key for machine access.
    ApiKeyId,
    /// An asset type.
    AssetTypeId,
    /// A profile from which assets are created.
    AssetProfileId,
    /// An activity type.
    ActivityTypeId,
    /// A converter of payloads to metrics.
    ProtocolConverterId,
    /// A business asset that devices monitor.
    AssetId,
    /// A link of a device to an asset for a period of time.
    LinkId,
    /// A threshold rule.
    RuleId,
    /// A template from which activities are created.
    ActivityTemplateId,
    /// A work order.
    ActivityId,
    /// An alarm: one episode of a rule's breach on one entity.
    AlarmId,
    /// One MQTT session of a device.
    SessionId,
}

/// Derives an id from a namespace and parts. Equal inputs always give the same id (RFC 9562, version 5), so that
/// repeated work does not create a second thing.
pub fn derive(namespace: Uuid, parts: &[&str]) -> Uuid {
    // The unit separator keeps ["ab", "c"] and ["a", "bc"] apart.
    Uuid::new_v5(&namespace, parts.join("\u{1f}").as_bytes())
}
