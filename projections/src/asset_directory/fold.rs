//! Domain events into rows of assets, places in the tree, and links. Pure.

use domain::AnyEvent;
use domain::asset::AssetEvent;
use domain::asset_tree::AssetTreeEvent;
use domain::device_links::DeviceLinksEvent;
use eventlog::Stream;

use super::{AssetRow, LinkRow, PlaceRow};
use crate::device_directory::object;
use crate::fact::{Fact, text_of};
use crate::fold::Fold;
use crate::sheet::{AnySheet, Sheet};

/// The fold of assets.
pub struct Assets;

/// The rows in hand.
#[derive(Default)]
pub struct Sheets {
    pub(crate) assets: Sheet<AssetRow>,
    pub(crate) places: Sheet<PlaceRow>,
    pub(crate) links: Sheet<LinkRow>,
}

impl Fold for Assets {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["assets", "asset_places", "asset_links"];
    type Sheets = Sheets;

    fn sheets(sheets: &mut Sheets) -> Vec<&mut dyn AnySheet> {
        vec![&mut sheets.assets, &mut sheets.places, &mut sheets.links]
    }

    fn touch(sheets: &mut Sheets, fact: &Fact) {
        match &fact.event {
            AnyEvent::Asset(_) => sheets.assets.want(fact.id),
            AnyEvent::AssetTree(
                AssetTreeEvent::AssetPlaced { asset, .. } | AssetTreeEvent::AssetDetached { asset },
            ) => {
                sheets.places.want(asset.0);
            }
            AnyEvent::DeviceLinks(
                DeviceLinksEvent::AssetLinked { link_id, .. }
                | DeviceLinksEvent::AssetUnlinked { link_id, .. }
                | DeviceLinksEvent::LinkCorrected { link_id, .. },
            ) => sheets.links.want(link_id.0),
            _ => {}
        }
    }

    fn fold(sheets: &mut Sheets, fact: &Fact) {
        match &fact.event {
            AnyEvent::Asset(event) => fold_asset(&mut sheets.assets, fact, event),
            AnyEvent::AssetTree(event) => fold_place(&mut sheets.places, fact, event),
            AnyEvent::DeviceLinks(event) => fold_link(&mut sheets.links, fact, event),
            _ => {}
        }
    }
}

fn fold_asset(assets: &mut Sheet<AssetRow>, fact: &Fact, event: &AssetEvent) {
    let mut change = |change: &dyn Fn(&mut AssetRow)| {
        assets.change(fact.id, |row| {
            change(row);
            (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
        });
    };
    match event {
        AssetEvent::AssetRegistered { .. } => {
            if let Some(row) = registered(event, fact) {
                assets.put(row);
            }
        }
        AssetEvent::AssetProfileApplied { applied } => change(&|row| {
            row.profile_id = Some(applied.profile_id.0);
            row.health_thresholds = Some(applied.health_thresholds);
            row.telemetry_mappings = Some(applied.telemetry_mappings.clone());
            row.icon.clone_from(&applied.icon);
        }),
        AssetEvent::AssetRenamed { name } => change(&|row| row.name.clone_from(name)),
        AssetEvent::AssetDescribed { description } => change(&|row| row.description.clone_from(description)),
        AssetEvent::AssetRelocated { location } => change(&|row| {
            row.latitude = location.map(|place| place.latitude);
            row.longitude = location.map(|place| place.longitude);
        }),
        AssetEvent::AssetAttributesChanged { custom_attributes } => {
            change(&|row| row.custom_attributes = object(custom_attributes));
        }
        AssetEvent::AssetTakenOutOfService { reason } => change(&|row| {
            row.out_of_service = true;
            row.out_of_service_reason = Some(reason.clone());
        }),
        AssetEvent::AssetReturnedToService {} => change(&|row| {
            row.out_of_service = false;
            row.out_of_service_reason = None;
        }),
        AssetEvent::AssetRetired { reason } => change(&|row| {
            row.retired = true;
            row.retired_reason = Some(reason.clone());
        }),
    }
}

fn registered(event: &AssetEvent, fact: &Fact) -> Option<AssetRow> {
    let AssetEvent::AssetRegistered { name, description, asset_type_id, kind, location, custom_attributes } = event
    else {
        return None;
    };
    Some(AssetRow {
        id: fact.id,
        organization_id: fact.organization,
        name: name.clone(),
        description: description.clone(),
        asset_type_id: asset_type_id.0,
        kind: text_of(kind),
        latitude: location.map(|place| place.latitude),
        longitude: location.map(|place| place.longitude),
        custom_attributes: object(custom_attributes),
        profile_id: None,
        health_thresholds: None,
        telemetry_mappings: None,
        icon: None,
        out_of_service: false,
        out_of_service_reason: None,
        retired: false,
        retired_reason: None,
        created_at: fact.at(),
        created_by: fact.actor(),
        updated_at: fact.at(),
        version: fact.version,
        position: fact.position,
    })
}

fn fold_place(places: &mut Sheet<PlaceRow>, fact: &Fact, event: &AssetTreeEvent) {
    match event {
        AssetTreeEvent::AssetPlaced { asset, parent } => places.put(PlaceRow {
            asset_id: asset.0,
            organization_id: fact.organization,
            parent_id: parent.0,
            position: fact.position,
        }),
        AssetTreeEvent::AssetDetached { asset } => places.remove(asset.0),
    }
}

fn fold_link(links: &mut Sheet<LinkRow>, fact: &Fact, event: &DeviceLinksEvent) {
    match event {
        DeviceLinksEvent::AssetLinked { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping } => {
            links.put(LinkRow {
                id: link_id.0,
                organization_id: fact.organization,
                device_id: fact.id,
                asset_id: asset_id.0,
                port: port.map(i32::from),
                role: text_of(role),
                valid_from: *valid_from,
                valid_until: *valid_until,
                metrics_mapping: metrics_mapping.clone(),
                position: fact.position,
            });
        }
        DeviceLinksEvent::LinkCorrected { link_id, port, role, valid_from, valid_until, metrics_mapping, .. } => {
            links.change(link_id.0, |row| {
                (row.port, row.role) = (port.map(i32::from), text_of(role));
                (row.valid_from, row.valid_until) = (*valid_from, *valid_until);
                row.metrics_mapping.clone_from(metrics_mapping);
                row.position = fact.position;
            });
        }
        DeviceLinksEvent::AssetUnlinked { link_id, valid_until, .. } => links.change(link_id.0, |row| {
            row.valid_until = Some(*valid_until);
            row.position = fact.position;
        }),
    }
}
