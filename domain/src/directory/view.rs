//! Lookups in the directory as of a log position. Lookups of the newest state live in `lookup`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Directory;
use super::entries::{AssetEntry, AssetTypeEntry, DeviceEntry, DeviceTypeEntry, RuleEntry, TemplateEntry};
use crate::catalogue::notification_channel::ChannelDefinition;
use crate::catalogue::protocol_converter::Converter;
use crate::device_links::Link;
use crate::ids::{
    ActivityTemplateId, AssetId, AssetTypeId, DeviceId, DeviceTypeId, NotificationChannelId, OrganizationId, RuleId,
};
use crate::organization::DEFAULT_RETENTION_DAYS;
use crate::rule::EntityKind;

/// The directory as of one position of the domain stream: events after that position have no effect on it. Cheap to
/// copy.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryView<'d> {
    directory: &'d Directory,
    position: u64,
}

impl<'d> DirectoryView<'d> {
    pub(super) fn new(directory: &'d Directory, position: u64) -> Self {
        Self { directory, position }
    }

    /// Returns a device, in service or not.
    pub fn device(self, id: DeviceId) -> Option<&'d DeviceEntry> {
        self.directory.devices.get(&id)?.at(self.position)
    }

    /// Returns a device type.
    pub fn device_type(self, id: DeviceTypeId) -> Option<&'d DeviceTypeEntry> {
        self.directory.device_types.get(&id)?.at(self.position)
    }

    /// Returns the converter for the payloads of a type's devices; `None` if the type has none or it is inactive.
    pub fn converter(self, device_type: &DeviceTypeEntry) -> Option<&'d Converter> {
        self.directory.converters.get(&device_type.converter?)?.at(self.position)?.as_deref()
    }

    /// Returns the number of days for which an organisation's telemetry is kept.
    pub fn telemetry_retention_days(self, id: OrganizationId) -> u32 {
        let chosen = self.directory.retentions.get(&id).and_then(|versions| versions.at(self.position));
        chosen.copied().unwrap_or(DEFAULT_RETENTION_DAYS)
    }

    /// Returns all links of a device; their validity windows may be past or future.
    pub fn links_of(self, device: DeviceId) -> &'d [Link] {
        let links = self.directory.links.get(&device);
        links.and_then(|links| links.at(self.position)).map_or(&[], Vec::as_slice)
    }

    /// Returns an asset, in use or not.
    pub fn asset(self, id: AssetId) -> Option<&'d AssetEntry> {
        self.directory.assets.get(&id)?.at(self.position)
    }

    /// Returns an asset type.
    pub fn asset_type(self, id: AssetTypeId) -> Option<&'d AssetTypeEntry> {
        self.directory.asset_types.get(&id)?.at(self.position)
    }

    /// Returns a rule, active, paused or retired.
    pub fn rule(self, id: RuleId) -> Option<&'d RuleEntry> {
        self.directory.rules.get(&id)?.at(self.position)
    }

    /// Lists an organisation's rules that watch an entity, active or paused: those for all entities of its kind, those
    /// for all of its type (a device type or an asset type), and those that name the entity, in this order.
    pub fn rules_for(
        self,
        organization: OrganizationId,
        kind: EntityKind,
        type_id: Uuid,
        entity: Uuid,
    ) -> impl Iterator<Item = &'d RuleEntry> {
        let of_kind = self.directory.rules_of_kind.get(&(organization, kind)).into_iter().flatten();
        let of_type = self.directory.rules_of_type.get(&(kind, type_id)).into_iter().flatten();
        let of_entity = self.directory.rules_of_entity.get(&entity).into_iter().flatten();
        let known = of_kind.chain(of_type).chain(of_entity).filter_map(move |id| self.rule(*id));
        known.filter(move |entry| entry.organization == organization && !entry.retired)
    }

    /// Returns the time until which a rule's alarms on an entity are shelved; it may have passed.
    pub fn shelved_until(self, rule: RuleId, entity: Uuid) -> Option<DateTime<Utc>> {
        let shelvings = &self.directory.shelvings;
        // Called for every breach, while most installations have no shelvings: skip hashing the key.
        if shelvings.is_empty() { None } else { *shelvings.get(&(rule, entity))?.at(self.position)? }
    }

    /// Returns whether an asset or any of its ancestors is out of service.
    pub fn is_out_of_service(self, asset: AssetId) -> bool {
        let parent_of = |entry: &&AssetEntry| entry.parent.and_then(|parent| self.asset(parent));
        std::iter::successors(self.asset(asset), parent_of).any(|entry| entry.out_of_service)
    }

    /// Returns an activity template, active or not.
    pub fn template(self, id: ActivityTemplateId) -> Option<&'d TemplateEntry> {
        self.directory.templates.get(&id)?.at(self.position)
    }

    /// Lists an organisation's active activity templates in the order of their definition.
    pub fn templates(self, organization: OrganizationId) -> impl Iterator<Item = &'d TemplateEntry> {
        let known = self.directory.templates_of.get(&organization).into_iter().flatten();
        known.filter_map(move |id| self.template(*id)).filter(|entry| entry.is_active())
    }

    /// Lists an organisation's active notification channels in the order of their definition.
    pub fn channels(
        self,
        organization: OrganizationId,
    ) -> impl Iterator<Item = (NotificationChannelId, &'d ChannelDefinition)> {
        let known = self.directory.channels_of.get(&organization).into_iter().flatten();
        known.filter_map(move |id| {
            let entry = self.directory.channels.get(id)?.at(self.position)?;
            let definition = entry.definition.as_deref().filter(|definition| definition.is_active)?;
            Some((entry.channel, definition))
        })
    }
}
