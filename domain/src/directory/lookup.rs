//! The directory, and lookups of its newest state. Lookups as of a log position live in `view`.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::entries::{
    AssetEntry, AssetTypeEntry, CertificateEntry, ChannelEntry, DeviceEntry, DeviceTypeEntry, OrganizationEntry,
    RuleEntry, TemplateEntry,
};
use super::{DirectoryView, Versions};
use crate::catalogue::protocol_converter::Converter;
use crate::device_links::Link;
use crate::ids::{
    ActivityTemplateId, AssetId, AssetTypeId, CertificateId, DeviceId, DeviceTypeId, NotificationChannelId,
    OrganizationId, ProtocolConverterId, RuleId,
};
use crate::rule::{EntityKind, RuleDefinition};

/// An in-memory index of the catalogue for the telemetry path. [`Directory::as_of`] reads it as of a position of the
/// domain stream, so that replays give the same results; the `*_now` methods read the newest state and serve
/// ingestion, which decides on the present.
#[derive(Debug, Default)]
pub struct Directory {
    position: u64,
    pub(super) organizations: HashMap<OrganizationId, OrganizationEntry>,
    pub(super) retentions: HashMap<OrganizationId, Versions<u32>>,
    pub(super) devices: HashMap<DeviceId, Versions<DeviceEntry>>,
    pub(super) certificates: HashMap<String, CertificateEntry>,
    pub(super) serials: HashMap<CertificateId, String>,
    pub(super) device_types: HashMap<DeviceTypeId, Versions<DeviceTypeEntry>>,
    pub(super) converters: HashMap<ProtocolConverterId, Versions<Option<Arc<Converter>>>>,
    pub(super) links: HashMap<DeviceId, Versions<Vec<Link>>>,
    pub(super) assets: HashMap<AssetId, Versions<AssetEntry>>,
    pub(super) asset_types: HashMap<AssetTypeId, Versions<AssetTypeEntry>>,
    pub(super) rules: HashMap<RuleId, Versions<RuleEntry>>,
    pub(super) rules_of_kind: HashMap<(OrganizationId, EntityKind), Vec<RuleId>>,
    pub(super) rules_of_type: HashMap<(EntityKind, Uuid), Vec<RuleId>>,
    pub(super) rules_of_entity: HashMap<Uuid, Vec<RuleId>>,
    pub(super) shelvings: HashMap<(RuleId, Uuid), Versions<Option<DateTime<Utc>>>>,
    pub(super) channels: HashMap<NotificationChannelId, Versions<ChannelEntry>>,
    pub(super) channels_of: HashMap<OrganizationId, Vec<NotificationChannelId>>,
    pub(super) templates: HashMap<ActivityTemplateId, Versions<TemplateEntry>>,
    pub(super) templates_of: HashMap<OrganizationId, Vec<ActivityTemplateId>>,
}

impl Directory {
    /// Returns a view of the directory as of a position of the domain stream.
    pub fn as_of(&self, position: u64) -> DirectoryView<'_> {
        DirectoryView::new(self, position)
    }

    /// Returns the position up to which the log has been folded, 0 before the first event.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns the number of entries of each kind, retired ones included.
    pub fn sizes(&self) -> [(&'static str, usize); 6] {
        [
            ("devices", self.devices.len()),
            ("certificates", self.certificates.len()),
            ("links", self.links.len()),
            ("assets", self.assets.len()),
            ("rules", self.rules.len()),
            ("templates", self.templates.len()),
        ]
    }

    /// Records that the log has been read up to a position, whether or not the events there changed an entry.
    pub fn advance_to(&mut self, position: u64) {
        self.position = self.position.max(position);
    }

    /// Returns the newest state of a device.
    pub fn device_now(&self, id: DeviceId) -> Option<&DeviceEntry> {
        self.devices.get(&id)?.newest()
    }

    /// Lists all devices in their newest state, in no particular order.
    pub fn devices_now(&self) -> impl Iterator<Item = (DeviceId, &DeviceEntry)> {
        self.devices.iter().filter_map(|(id, versions)| versions.newest().map(|entry| (*id, entry)))
    }

    /// Returns the newest state of an organisation.
    pub fn organization_now(&self, id: OrganizationId) -> Option<&OrganizationEntry> {
        self.organizations.get(&id)
    }

    /// Lists all organisations in their newest state, in no particular order.
    pub fn organizations_now(&self) -> impl Iterator<Item = (OrganizationId, &OrganizationEntry)> {
        self.organizations.iter().map(|(id, entry)| (*id, entry))
    }

    /// Lists all certificates in their newest state by serial number (lower-case hex), in no particular order.
    pub fn certificates_now(&self) -> impl Iterator<Item = (&str, &CertificateEntry)> {
        self.certificates.iter().map(|(serial, entry)| (serial.as_str(), entry))
    }

    /// Returns the newest state of a certificate by its serial number (lower-case hex).
    pub fn certificate_now(&self, serial_number: &str) -> Option<&CertificateEntry> {
        self.certificates.get(serial_number)
    }

    /// Returns the newest state of a device type.
    pub fn device_type_now(&self, id: DeviceTypeId) -> Option<&DeviceTypeEntry> {
        self.device_types.get(&id)?.newest()
    }

    /// Indexes a new rule by what it watches: one entity, all entities of a type, or all of a kind.
    pub(super) fn index_rule(&mut self, organization: OrganizationId, rule: RuleId, definition: &RuleDefinition) {
        let rules = match (definition.entity_id, definition.type_id) {
            (Some(entity), _) => self.rules_of_entity.entry(entity).or_default(),
            (None, Some(of_type)) => self.rules_of_type.entry((definition.entity_type, of_type)).or_default(),
            (None, None) => self.rules_of_kind.entry((organization, definition.entity_type)).or_default(),
        };
        // The event may be applied again; it must not index the rule twice.
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
}
