//! What the directory knows of each thing.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::activity_template::TemplateDefinition;
use crate::asset_type::{Computation, HealthModel};
use crate::catalogue::notification_channel::ChannelDefinition;
use crate::device_type::{MetricDefinition, UnknownMetrics};
use crate::ids::{
    ActivityTemplateId, AssetId, AssetTypeId, CertificateId, DeviceId, DeviceTypeId, NotificationChannelId,
    OrganizationId, ProtocolConverterId, RuleId,
};
use crate::organization::CertificatePolicy;
use crate::rule::{EntityKind, RuleDefinition};

/// An organisation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrganizationEntry {
    /// Its name.
    pub name: String,
    /// Whether it is suspended: its devices and users are denied access.
    pub suspended: bool,
    /// Its certificate authority, once it has one.
    pub authority: Option<AuthorityEntry>,
    /// How its devices' certificates are renewed.
    pub certificate_policy: CertificatePolicy,
}

/// An organisation's certificate authority.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthorityEntry {
    /// The CA certificate, PEM.
    pub certificate_pem: String,
    /// Its subject key identifier, lower-case hex.
    pub subject_key_id: String,
    /// End of validity.
    pub not_after: DateTime<Utc>,
}

/// A device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceEntry {
    /// Its organisation.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its serial number.
    pub serial_number: String,
    /// Its type.
    pub device_type: DeviceTypeId,
    /// Whether it is out of service.
    pub decommissioned: bool,
}

/// A device certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct CertificateEntry {
    /// Its organisation.
    pub organization: OrganizationId,
    /// Its id.
    pub certificate: CertificateId,
    /// The device that holds the certificate.
    pub device: DeviceId,
    /// Whether it is revoked.
    pub revoked: bool,
    /// End of validity.
    pub not_after: DateTime<Utc>,
    /// Whether its coming expiry was recorded.
    pub expiring: bool,
    /// Whether its end was noted.
    pub expired: bool,
    /// When it is to be revoked because another one has taken its place.
    pub superseded_at: Option<DateTime<Utc>>,
}

/// What a device type declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceTypeEntry {
    /// The declared metrics, sorted by key.
    pub metrics: Vec<MetricDefinition>,
    /// What happens to others.
    pub unknown_metrics: UnknownMetrics,
    /// The protocol converter for the payloads of its devices.
    pub converter: Option<ProtocolConverterId>,
}

/// What an asset type declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssetTypeEntry {
    /// What is computed of its values; shared, because every value looks at it.
    pub computation: Arc<Computation>,
    /// How health is scored.
    pub health_model: Option<HealthModel>,
    /// Log position since which it scores as it does: its definition, or the last change of the model, the derived metrics or
    /// the combination. A new name does not score.
    pub scores_since: u64,
}

/// An asset.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetEntry {
    /// Its organisation.
    pub organization: OrganizationId,
    /// Its name.
    pub name: String,
    /// Asset or space.
    pub kind: EntityKind,
    /// Its type.
    pub asset_type: AssetTypeId,
    /// Its parent.
    pub parent: Option<AssetId>,
    /// Whether it is temporarily out of service.
    pub out_of_service: bool,
    /// Whether it is out of use.
    pub retired: bool,
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleEntry {
    /// The rule.
    pub rule: RuleId,
    /// Its organisation.
    pub organization: OrganizationId,
    /// Log position from which on it decides as it does: its definition, its activation, or the last change of metric or
    /// condition. A breach under what was before ends there.
    pub decides_since: u64,
    /// Whether it is deleted.
    pub retired: bool,
    /// All of it; shared, because every reading looks at it.
    pub definition: Arc<RuleDefinition>,
}

impl RuleEntry {
    /// Tells whether it is evaluated.
    pub fn is_active(&self) -> bool {
        self.definition.is_active && !self.retired
    }
}

/// A notification channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelEntry {
    /// The channel.
    pub channel: NotificationChannelId,
    /// Its organisation.
    pub organization: OrganizationId,
    /// All of it; none of a retired one.
    pub definition: Option<Arc<ChannelDefinition>>,
}

/// An activity template.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateEntry {
    /// The template.
    pub template: ActivityTemplateId,
    /// Its organisation.
    pub organization: OrganizationId,
    /// Whether it is retired.
    pub retired: bool,
    /// All of it.
    pub definition: Arc<TemplateDefinition>,
}

impl TemplateEntry {
    /// Tells whether triggers make activities of it.
    pub fn is_active(&self) -> bool {
        self.definition.is_active && !self.retired
    }
}
