//! The entries of the directory.

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
    /// Its certificate authority; `None` until it is created.
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
    /// Whether it is decommissioned.
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
    /// Whether its expiry was recorded.
    pub expired: bool,
    /// When it is revoked as superseded, if another certificate replaces it.
    pub superseded_at: Option<DateTime<Utc>>,
}

/// What a device type declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceTypeEntry {
    /// The declared metrics, sorted by key.
    pub metrics: Vec<MetricDefinition>,
    /// How undeclared metrics are handled.
    pub unknown_metrics: UnknownMetrics,
    /// The protocol converter for the payloads of its devices.
    pub converter: Option<ProtocolConverterId>,
}

/// What an asset type declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssetTypeEntry {
    /// The computation of its metrics; shared, because every reading uses it.
    pub computation: Arc<Computation>,
    /// How health is scored, if it is.
    pub health_model: Option<HealthModel>,
    /// Log position since which the scoring is unchanged: that of the definition, or of the last change of the health
    /// model, the derived metrics or the combination. Renaming does not count.
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
    /// Its parent asset.
    pub parent: Option<AssetId>,
    /// Whether it is temporarily out of service.
    pub out_of_service: bool,
    /// Whether it is retired.
    pub retired: bool,
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleEntry {
    /// The rule.
    pub rule: RuleId,
    /// Its organisation.
    pub organization: OrganizationId,
    /// Log position since which the decisions are unchanged: that of the definition, the last activation, or the last
    /// change of metric or condition. A breach found under an older version is judged anew.
    pub decides_since: u64,
    /// Log position of the definition or of the last change of the criterion of a breach.
    pub criterion_since: u64,
    /// Log position of the definition or of the last change of the metric.
    pub metric_since: u64,
    /// Whether it is retired.
    pub retired: bool,
    /// The full definition; shared, because every reading uses it.
    pub definition: Arc<RuleDefinition>,
}

impl RuleEntry {
    /// Returns whether the rule is evaluated.
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
    /// The full definition; `None` if the channel is retired.
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
    /// The full definition.
    pub definition: Arc<TemplateDefinition>,
}

impl TemplateEntry {
    /// Returns whether triggers create activities from it.
    pub fn is_active(&self) -> bool {
        self.definition.is_active && !self.retired
    }
}
