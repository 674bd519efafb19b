//! Applies events to the directory's entries.

use std::sync::Arc;

use uuid::Uuid;

use super::entries::{
    AssetEntry, AssetTypeEntry, AuthorityEntry, CertificateEntry, ChannelEntry, DeviceEntry, DeviceTypeEntry,
    RuleEntry, TemplateEntry,
};
use super::{Directory, Versions};
use crate::AnyEvent;
use crate::activity_template::ActivityTemplateEvent;
use crate::asset::AssetEvent;
use crate::asset_tree::AssetTreeEvent;
use crate::asset_type::{AssetTypeEvent, Computation};
use crate::catalogue::protocol_converter::Converter;
use crate::catalogue::{EntryEvent, NotificationChannelEvent, ProtocolConverterEvent};
use crate::certificate::CertificateEvent;
use crate::device::DeviceEvent;
use crate::device_links::{DeviceLinksEvent, Link};
use crate::device_type::DeviceTypeEvent;
use crate::ids::{
    ActivityTemplateId, AssetId, AssetTypeId, CertificateId, DeviceId, DeviceTypeId, NotificationChannelId,
    OrganizationId, ProtocolConverterId, RuleId,
};
use crate::organization::OrganizationEvent;
use crate::rule::RuleEvent;
use crate::shelving::ShelvingEvent;

/// The position of an event in the log, its organisation and the id of its aggregate.
#[derive(Clone, Copy)]
struct At {
    position: u64,
    organization: OrganizationId,
    id: Uuid,
}

impl Directory {
    /// Applies one event of the domain stream. Several events may share a position; positions must not decrease.
    pub fn apply(&mut self, position: u64, organization: OrganizationId, aggregate_id: Uuid, event: &AnyEvent) {
        let at = At { position, organization, id: aggregate_id };
        match event {
            AnyEvent::Organization(event) => self.organization(at, event),
            AnyEvent::Device(event) => self.device_event(at, event),
            AnyEvent::Certificate(event) => self.certificate(at, event),
            AnyEvent::DeviceType(event) => self.device_type_event(at, event),
            AnyEvent::ProtocolConverter(event) => self.converter_event(at, event),
            AnyEvent::DeviceLinks(event) => self.links(at, event),
            AnyEvent::Asset(event) => self.asset_event(at, event),
            AnyEvent::AssetTree(event) => self.tree(at, event),
            AnyEvent::AssetType(event) => self.asset_type_event(at, event),
            AnyEvent::Rule(event) => self.rule_event(at, event),
            AnyEvent::ActivityTemplate(event) => self.template_event(at, event),
            AnyEvent::Shelving(event) => self.shelving(at, event),
            AnyEvent::NotificationChannel(event) => self.channel_event(at, event),
            AnyEvent::User(_)
            | AnyEvent::ApiKey(_)
            | AnyEvent::UniqueKey(_)
            | AnyEvent::AssetProfile(_)
            | AnyEvent::ActivityType(_)
            | AnyEvent::Activity(_)
            | AnyEvent::Alarm(_)
            | AnyEvent::Notification(_)
            | AnyEvent::DeadLetter(_) => {}
        }
        self.advance_to(position);
    }

    fn organization(&mut self, at: At, event: &OrganizationEvent) {
        let entry = self.organizations.entry(OrganizationId(at.id)).or_default();
        match event {
            OrganizationEvent::OrganizationFounded { name } | OrganizationEvent::OrganizationRenamed { name } => {
                entry.name.clone_from(name);
            }
            OrganizationEvent::CertificateAuthorityRecorded { certificate_pem, subject_key_id, not_after } => {
                entry.authority = Some(AuthorityEntry {
                    certificate_pem: certificate_pem.clone(),
                    subject_key_id: subject_key_id.clone(),
                    not_after: *not_after,
                });
            }
            OrganizationEvent::CertificatePolicyChanged { policy } => entry.certificate_policy = *policy,
            OrganizationEvent::TelemetryRetentionChanged { days } => {
                self.retentions.entry(OrganizationId(at.id)).or_default().set(at.position, *days);
            }
            OrganizationEvent::WebhookSecretReplaced {} => {}
            OrganizationEvent::OrganizationSuspended { .. } => entry.suspended = true,
            OrganizationEvent::OrganizationReinstated {} => entry.suspended = false,
        }
    }

    fn device_event(&mut self, at: At, event: &DeviceEvent) {
        let versions = self.devices.entry(DeviceId(at.id)).or_default();
        match event {
            DeviceEvent::DeviceRegistered { name, serial_number, device_type_id, .. } => {
                let entry = DeviceEntry {
                    organization: at.organization,
                    name: name.clone(),
                    serial_number: serial_number.clone(),
                    device_type: *device_type_id,
                    decommissioned: false,
                };
                versions.set(at.position, entry);
            }
            DeviceEvent::DeviceRenamed { name } => versions.change(at.position, |device| device.name.clone_from(name)),
            DeviceEvent::DeviceReplaced { serial_number, .. } => {
                versions.change(at.position, |device| device.serial_number.clone_from(serial_number));
            }
            DeviceEvent::DeviceDecommissioned { .. } => {
                versions.change(at.position, |device| device.decommissioned = true)
            }
            // Credentials, descriptions and attributes are not used on the telemetry path.
            DeviceEvent::DeviceTokenIssued { .. }
            | DeviceEvent::DeviceTokenRevoked { .. }
            | DeviceEvent::GatewayAppointed {}
            | DeviceEvent::GatewayDismissed {}
            | DeviceEvent::ClaimCodeIssued { .. }
            | DeviceEvent::ClaimCodeWithdrawn { .. }
            | DeviceEvent::ClaimCodeUsed { .. }
            | DeviceEvent::DeviceDescribed { .. }
            | DeviceEvent::DeviceAttributesChanged { .. } => {}
        }
    }

    fn certificate(&mut self, at: At, event: &CertificateEvent) {
        let certificate = CertificateId(at.id);
        match event {
            CertificateEvent::CertificateIssued { device_id, serial_number, not_after, .. } => {
                self.serials.insert(certificate, serial_number.clone());
                let entry = CertificateEntry {
                    organization: at.organization,
                    certificate,
                    device: *device_id,
                    revoked: false,
                    not_after: *not_after,
                    expiring: false,
                    expired: false,
                    superseded_at: None,
                };
                self.certificates.insert(serial_number.clone(), entry);
            }
            CertificateEvent::CertificateRenewed { overlap_ends_at, .. } => {
                self.change_certificate(certificate, |entry| entry.superseded_at = *overlap_ends_at);
            }
            CertificateEvent::CertificateRevoked { .. } => {
                self.change_certificate(certificate, |entry| entry.revoked = true);
            }
            CertificateEvent::CertificateExpiring {} => {
                self.change_certificate(certificate, |entry| entry.expiring = true);
            }
            CertificateEvent::CertificateExpiryAnnounced { .. } => {}
            CertificateEvent::CertificateExpired {} => {
                self.change_certificate(certificate, |entry| entry.expired = true);
            }
        }
    }

    fn change_certificate(&mut self, certificate: CertificateId, change: impl FnOnce(&mut CertificateEntry)) {
        let serial = self.serials.get(&certificate);
        if let Some(entry) = serial.and_then(|serial| self.certificates.get_mut(serial)) {
            change(entry);
        }
    }

    fn device_type_event(&mut self, at: At, event: &DeviceTypeEvent) {
        match event {
            DeviceTypeEvent::DeviceTypeDefined { metrics, unknown_metrics, .. }
            | DeviceTypeEvent::DeviceTypeRevised { metrics, unknown_metrics, .. } => {
                let mut metrics = metrics.clone();
                // `payload::validate` walks the metrics of a reading and of its type in step.
                metrics.sort_by(|a, b| a.key.cmp(&b.key));
                let versions = self.device_types.entry(DeviceTypeId(at.id)).or_default();
                // A revision replaces the definition, but not the assigned converter.
                let converter = versions.newest().and_then(|known| known.converter);
                versions.set(at.position, DeviceTypeEntry { metrics, unknown_metrics: *unknown_metrics, converter });
            }
            DeviceTypeEvent::DeviceTypeConverterAssigned { converter_id } => {
                let versions = self.device_types.entry(DeviceTypeId(at.id)).or_default();
                versions.change(at.position, |known| known.converter = *converter_id);
            }
            // Retiring a type does not affect existing devices.
            DeviceTypeEvent::DeviceTypeRetired {} => {}
        }
    }

    fn converter_event(&mut self, at: At, event: &ProtocolConverterEvent) {
        let versions = self.converters.entry(ProtocolConverterId(at.id)).or_default();
        // A retired converter stays in use by the types that refer to it.
        if let Some(definition) = event.definition() {
            let converter = definition.is_active.then(|| Converter::new(definition.clone()));
            versions.set(at.position, converter.map(Arc::new));
        }
    }

    fn links(&mut self, at: At, event: &DeviceLinksEvent) {
        let versions = self.links.entry(DeviceId(at.id)).or_default();
        let mut links: Vec<Link> = versions.newest().cloned().unwrap_or_default();
        match event {
            DeviceLinksEvent::AssetLinked {
                link_id,
                asset_id,
                port,
                role,
                valid_from,
                valid_until,
                metrics_mapping,
            } => {
                // The event may be applied again; it must not add the link twice.
                links.retain(|link| link.link_id != *link_id);
                links.push(Link {
                    link_id: *link_id,
                    asset_id: *asset_id,
                    port: *port,
                    role: *role,
                    valid_from: *valid_from,
                    valid_until: *valid_until,
                    metrics_mapping: metrics_mapping.clone(),
                });
            }
            DeviceLinksEvent::LinkCorrected {
                link_id, port, role, valid_from, valid_until, metrics_mapping, ..
            } => {
                for link in links.iter_mut().filter(|link| link.link_id == *link_id) {
                    (link.port, link.role) = (*port, *role);
                    (link.valid_from, link.valid_until) = (*valid_from, *valid_until);
                    link.metrics_mapping.clone_from(metrics_mapping);
                }
            }
            DeviceLinksEvent::AssetUnlinked { link_id, valid_until, .. } => {
                links
                    .iter_mut()
                    .filter(|link| link.link_id == *link_id)
                    .for_each(|link| link.valid_until = Some(*valid_until));
            }
        }
        versions.set(at.position, links);
    }

    fn asset_event(&mut self, at: At, event: &AssetEvent) {
        let versions = self.assets.entry(AssetId(at.id)).or_default();
        match event {
            AssetEvent::AssetRegistered { name, asset_type_id, kind, .. } => {
                let entry = AssetEntry {
                    organization: at.organization,
                    name: name.clone(),
                    kind: *kind,
                    asset_type: *asset_type_id,
                    parent: None,
                    out_of_service: false,
                    retired: false,
                };
                versions.set(at.position, entry);
            }
            AssetEvent::AssetRenamed { name } => versions.change(at.position, |asset| asset.name.clone_from(name)),
            AssetEvent::AssetTakenOutOfService { .. } => {
                versions.change(at.position, |asset| asset.out_of_service = true)
            }
            AssetEvent::AssetReturnedToService {} => versions.change(at.position, |asset| asset.out_of_service = false),
            AssetEvent::AssetRetired { .. } => versions.change(at.position, |asset| asset.retired = true),
            AssetEvent::AssetDescribed { .. }
            | AssetEvent::AssetProfileApplied { .. }
            | AssetEvent::AssetRelocated { .. }
            | AssetEvent::AssetAttributesChanged { .. } => {}
        }
    }

    fn tree(&mut self, at: At, event: &AssetTreeEvent) {
        let (asset, parent) = match event {
            AssetTreeEvent::AssetPlaced { asset, parent } => (asset, Some(*parent)),
            AssetTreeEvent::AssetDetached { asset } => (asset, None),
        };
        self.assets.entry(*asset).or_default().change(at.position, |asset| asset.parent = parent);
    }

    fn asset_type_event(&mut self, at: At, event: &AssetTypeEvent) {
        match event {
            AssetTypeEvent::AssetTypeDefined { derived_metrics, health_model, combination, .. }
            | AssetTypeEvent::AssetTypeRevised { derived_metrics, health_model, combination, .. } => {
                let computation = Computation::new(derived_metrics, combination, health_model.as_ref());
                let versions = self.asset_types.entry(AssetTypeId(at.id)).or_default();
                // A revision that only renames the type must not make existing scores look outdated.
                let same = versions
                    .newest()
                    .filter(|known| *known.computation == computation && known.health_model == *health_model);
                let scores_since = same.map_or(at.position, |known| known.scores_since);
                let (computation, health_model) = (Arc::new(computation), health_model.clone());
                versions.set(at.position, AssetTypeEntry { computation, health_model, scores_since });
            }
            // Retiring a type does not affect existing assets.
            AssetTypeEvent::AssetTypeRetired {} => {}
        }
    }

    fn rule_event(&mut self, at: At, event: &RuleEvent) {
        let rule = RuleId(at.id);
        if let RuleEvent::RuleDefined { definition } = event {
            self.index_rule(at.organization, rule, definition);
            let definition = Arc::new(definition.clone());
            let entry = RuleEntry {
                rule,
                organization: at.organization,
                decides_since: at.position,
                criterion_since: at.position,
                metric_since: at.position,
                retired: false,
                definition,
            };
            self.rules.entry(rule).or_default().set(at.position, entry);
        } else {
            change_rule(self.rules.entry(rule).or_default(), at.position, event);
        }
    }

    fn channel_event(&mut self, at: At, event: &NotificationChannelEvent) {
        let channel = NotificationChannelId(at.id);
        let known = self.channels_of.entry(at.organization).or_default();
        if !known.contains(&channel) {
            known.push(channel);
        }
        let definition = event.definition().cloned().map(Arc::new);
        let entry = ChannelEntry { channel, organization: at.organization, definition };
        self.channels.entry(channel).or_default().set(at.position, entry);
    }

    fn shelving(&mut self, at: At, event: &ShelvingEvent) {
        let (rule, entity, until) = match event {
            ShelvingEvent::AlarmsShelved { rule_id, entity_id, until, .. } => (*rule_id, *entity_id, Some(*until)),
            ShelvingEvent::AlarmsUnshelved { rule_id, entity_id } => (*rule_id, *entity_id, None),
        };
        self.shelvings.entry((rule, entity)).or_default().set(at.position, until);
    }

    fn template_event(&mut self, at: At, event: &ActivityTemplateEvent) {
        let template = ActivityTemplateId(at.id);
        match event {
            ActivityTemplateEvent::ActivityTemplateDefined { definition }
            | ActivityTemplateEvent::ActivityTemplateRevised { definition } => {
                let known = self.templates_of.entry(at.organization).or_default();
                if !known.contains(&template) {
                    known.push(template);
                }
                let definition = Arc::new(definition.clone());
                let entry = TemplateEntry { template, organization: at.organization, retired: false, definition };
                self.templates.entry(template).or_default().set(at.position, entry);
            }
            ActivityTemplateEvent::ActivityTemplateRetired {} => {
                self.templates.entry(template).or_default().change(at.position, |template| template.retired = true);
            }
        }
    }
}

fn change_rule(versions: &mut Versions<RuleEntry>, position: u64, event: &RuleEvent) {
    versions.change(position, |entry| {
        let definition = Arc::make_mut(&mut entry.definition);
        match event {
            RuleEvent::RuleDefined { .. } => {}
            RuleEvent::RuleRenamed { name, description } => {
                definition.name.clone_from(name);
                definition.description.clone_from(description);
            }
            RuleEvent::RuleConditionChanged { metric_key, condition } => {
                entry.decides_since = position;
                if definition.condition.criterion != condition.criterion {
                    entry.criterion_since = position;
                }
                if definition.metric_key != *metric_key {
                    entry.metric_since = position;
                }
                definition.metric_key.clone_from(metric_key);
                definition.condition = condition.clone();
            }
            RuleEvent::RuleSeverityChanged { severity } => definition.severity = *severity,
            RuleEvent::RuleActionChanged { action } => definition.action = action.clone(),
            RuleEvent::RuleCooldownChanged { cooldown_seconds } => definition.cooldown_seconds = *cooldown_seconds,
            RuleEvent::RuleActivated {} => {
                definition.is_active = true;
                entry.decides_since = position;
            }
            RuleEvent::RuleDeactivated {} => definition.is_active = false,
            RuleEvent::RuleRetired {} => entry.retired = true,
        }
    });
}
