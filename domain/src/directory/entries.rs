//! What the directory knows of each thing.

use std::sync::Arc;

use crate::device_type::{MetricDefinition, UnknownMetrics};
use crate::ids::{AssetId, AssetTypeId, DeviceTypeId, OrganizationId};
use crate::rule::{EntityKind, RuleDefinition};

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

/// What a device type declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceTypeEntry {
    /// The declared metrics.
    pub metrics: Vec<MetricDefinition>,
    /// What happens to others.
    pub unknown_metrics: UnknownMetrics,
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
    /// Whether it is out of use.
    pub retired: bool,
}

/// A rule that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleEntry {
    /// Its organisation.
    pub organization: OrganizationId,
    /// All of it; shared, because every reading looks at it.
    pub definition: Arc<RuleDefinition>,
}
