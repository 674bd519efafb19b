//! The directory itself and its lookups.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Versions;
use super::entries::{
    AssetEntry, AssetTypeEntry, CertificateEntry, ChannelEntry, DeviceEntry, DeviceTypeEntry, OrganizationEntry,
    RuleEntry, TemplateEntry,
};
use crate::catalogue::notification_channel::ChannelDefinition;
use crate::catalogue::protocol_converter::Converter;
use crate::device_links::Link;
use crate::ids::{
    ActivityTemplateId, AssetId, AssetTypeId, CertificateId, DeviceId, DeviceTypeId, NotificationChannelId,
    OrganizationId, ProtocolConverterId, RuleId,
};
use crate::organization::DEFAULT_RETENTION_DAYS;
use crate::rule::{EntityKind, RuleDefinition};

/// Everything the hot path looks up. Lookups with `at` answer as of a position of the domain stream; those with `now`
/// answer the newest state and are for doors, which decide on the present.
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
    rules_of_kind: HashMap<(OrganizationId, EntityKind), Vec<RuleId>>,
    rules_of_type: HashMap<(EntityKind, Uuid), Vec<RuleId>>,
    rules_of_entity: HashMap<Uuid, Vec<RuleId>>,
    pub(super) shelvings: HashMap<(RuleId, Uuid), Versions<Option<DateTime<Utc>>>>,
    pub(super) channels: HashMap<NotificationChannelId, Versions<ChannelEntry>>,
    pub(super) channels_of: HashMap<OrganizationId, Vec<NotificationChannelId>>,
    pub(super) templates: HashMap<ActivityTemplateId, Versions<TemplateEntry>>,
    pub(super) templates_of: HashMap<OrganizationId, Vec<ActivityTemplateId>>,
}

impl Directory {
    /// Answers the position of the last event folded, 0 before the first.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Answers how many things of each kind it holds, those that are out of use included.
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

    /// Notes that the log was read up to a position, whether or not an event there mattered here.
    pub fn reach(&mut self, position: u64) {
        self.position = self.position.max(position);
    }

    /// Answers a device as of a position.
    pub fn device(&self, id: DeviceId, at: u64) -> Option<&DeviceEntry> {
        self.devices.get(&id)?.at(at)
    }

    /// Answers a device as it is now.
    pub fn device_now(&self, id: DeviceId) -> Option<&DeviceEntry> {
        self.devices.get(&id)?.newest()
    }

    /// Lists the devices as they are now.
    pub fn devices_now(&self) -> impl Iterator<Item = (DeviceId, &DeviceEntry)> {
        self.devices.iter().filter_map(|(id, versions)| versions.newest().map(|entry| (*id, entry)))
    }

    /// Answers an organisation as it is now.
    pub fn organization_now(&self, id: OrganizationId) -> Option<&OrganizationEntry> {
        self.organizations.get(&id)
    }

    /// Answers how many days an organisation's telemetry is kept, as of a position.
    pub fn telemetry_retention_days(&self, id: OrganizationId, at: u64) -> u32 {
        let chosen = self.retentions.get(&id).and_then(|versions| versions.at(at));
        chosen.copied().unwrap_or(DEFAULT_RETENTION_DAYS)
    }

    /// Lists the organisations as they are now.
    pub fn organizations_now(&self) -> impl Iterator<Item = (OrganizationId, &OrganizationEntry)> {
        self.organizations.iter().map(|(id, entry)| (*id, entry))
    }

    /// Lists all certificates as they are now with their serial numbers (lower-case hex), in no order.
    pub fn certificates_now(&self) -> impl Iterator<Item = (&str, &CertificateEntry)> {
        self.certificates.iter().map(|(serial, entry)| (serial.as_str(), entry))
    }

    /// Answers a certificate by its serial number (lower-case hex) as it is now.
    pub fn certificate_now(&self, serial_number: &str) -> Option<&CertificateEntry> {
        self.certificates.get(serial_number)
    }

    /// Answers a device type as of a position.
    pub fn device_type(&self, id: DeviceTypeId, at: u64) -> Option<&DeviceTypeEntry> {
        self.device_types.get(&id)?.at(at)
    }

    /// Answers what converts the payloads of a type's devices as of a position; none where nothing active does.
    pub fn converter(&self, device_type: &DeviceTypeEntry, at: u64) -> Option<&Converter> {
        self.converters.get(&device_type.converter?)?.at(at)?.as_deref()
    }

    /// Answers a device type as it is now.
    pub fn device_type_now(&self, id: DeviceTypeId) -> Option<&DeviceTypeEntry> {
        self.device_types.get(&id)?.newest()
    }

    /// Answers the links of a device as of a position, those included that are not valid at present.
    pub fn links_of(&self, device: DeviceId, at: u64) -> &[Link] {
        self.links.get(&device).and_then(|links| links.at(at)).map_or(&[], Vec::as_slice)
    }

    /// Answers an asset as of a position.
    pub fn asset(&self, id: AssetId, at: u64) -> Option<&AssetEntry> {
        self.assets.get(&id)?.at(at)
    }

    /// Answers an asset type as of a position.
    pub fn asset_type(&self, id: AssetTypeId, at: u64) -> Option<&AssetTypeEntry> {
        self.asset_types.get(&id)?.at(at)
    }

    /// Answers a rule as of a position, active or not.
    pub fn rule(&self, id: RuleId, at: u64) -> Option<&RuleEntry> {
        self.rules.get(&id)?.at(at)
    }

    /// Lists the active rules of an organisation that watch an entity as of a position: those for all of its kind, those
    /// for all of its type (a device type or an asset type), and those that name it.
    pub fn rules_for(
        &self,
        organization: OrganizationId,
        kind: EntityKind,
        type_id: Uuid,
        entity: Uuid,
        at: u64,
    ) -> impl Iterator<Item = &RuleEntry> {
        let of_kind = self.rules_of_kind.get(&(organization, kind)).into_iter().flatten();
        let of_type = self.rules_of_type.get(&(kind, type_id)).into_iter().flatten();
        let of_entity = self.rules_of_entity.get(&entity).into_iter().flatten();
        let known = of_kind.chain(of_type).chain(of_entity).filter_map(move |id| self.rule(*id, at));
        known.filter(move |entry| entry.organization == organization && entry.is_active())
    }

    /// Answers until when the alarms of a rule on an entity are put aside, as of a position.
    pub fn shelved_until(&self, rule: RuleId, entity: Uuid, at: u64) -> Option<DateTime<Utc>> {
        // Most platforms have none at all, and every breach asks.
        if self.shelvings.is_empty() { None } else { *self.shelvings.get(&(rule, entity))?.at(at)? }
    }

    /// Tells whether an asset, or one above it, is out of service as of a position.
    pub fn is_out_of_service(&self, asset: AssetId, at: u64) -> bool {
        let above = |entry: &&AssetEntry| entry.parent.and_then(|parent| self.asset(parent, at));
        std::iter::successors(self.asset(asset, at), above).any(|entry| entry.out_of_service)
    }

    /// Answers an activity template as of a position, active or not.
    pub fn template(&self, id: ActivityTemplateId, at: u64) -> Option<&TemplateEntry> {
        self.templates.get(&id)?.at(at)
    }

    /// Lists the active activity templates of an organisation as of a position, in the order of their definition.
    pub fn templates(&self, organization: OrganizationId, at: u64) -> impl Iterator<Item = &TemplateEntry> {
        let known = self.templates_of.get(&organization).into_iter().flatten();
        known.filter_map(move |id| self.template(*id, at)).filter(|entry| entry.is_active())
    }

    /// Lists the notification channels of an organisation that are used as of a position, with what they say, in the order of
    /// their definition.
    pub fn channels(
        &self,
        organization: OrganizationId,
        at: u64,
    ) -> impl Iterator<Item = (NotificationChannelId, &ChannelDefinition)> {
        let known = self.channels_of.get(&organization).into_iter().flatten();
        known.filter_map(move |id| {
            let entry = self.channels.get(id)?.at(at)?;
            let definition = entry.definition.as_deref().filter(|definition| definition.is_active)?;
            Some((entry.channel, definition))
        })
    }

    pub(super) fn index_rule(&mut self, organization: OrganizationId, rule: RuleId, definition: &RuleDefinition) {
        let rules = match (definition.entity_id, definition.type_id) {
            (Some(entity), _) => self.rules_of_entity.entry(entity).or_default(),
            (None, Some(of_type)) => self.rules_of_type.entry((definition.entity_type, of_type)).or_default(),
            (None, None) => self.rules_of_kind.entry((organization, definition.entity_type)).or_default(),
        };
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
}
