//! Folds domain events into rows of assets, their places in the tree, and their links. Pure.

use domain::AnyEvent;
use domain::asset::AssetEvent;
use domain::asset_tree::AssetTreeEvent;
use domain::device_links::DeviceLinksEvent;
use eventlog::Stream;

use super::{AssetRow, LinkRow, PlaceRow};
use crate::decoded_event::DecodedEvent;
use crate::device_directory::object;
use crate::fold::Fold;
use crate::row_batch::{AnyRowBatch, RowBatch};
use crate::sql_values::enum_text;

/// The fold of assets.
pub struct Assets;

/// The rows that a batch has loaded, by table.
#[derive(Default)]
pub struct Rows {
    pub(crate) assets: RowBatch<AssetRow>,
    pub(crate) places: RowBatch<PlaceRow>,
    pub(crate) links: RowBatch<LinkRow>,
}

impl Fold for Assets {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["assets", "asset_places", "asset_links"];
    type Rows = Rows;

    fn row_batches(rows: &mut Rows) -> Vec<&mut dyn AnyRowBatch> {
        vec![&mut rows.assets, &mut rows.places, &mut rows.links]
    }

    fn request_rows(rows: &mut Rows, decoded: &DecodedEvent) {
        match &decoded.event {
            AnyEvent::Asset(_) => rows.assets.request(decoded.id),
            AnyEvent::AssetTree(
                AssetTreeEvent::AssetPlaced { asset, .. } | AssetTreeEvent::AssetDetached { asset },
            ) => {
                rows.places.request(asset.0);
            }
            AnyEvent::DeviceLinks(
                DeviceLinksEvent::AssetLinked { link_id, .. }
                | DeviceLinksEvent::AssetUnlinked { link_id, .. }
                | DeviceLinksEvent::LinkCorrected { link_id, .. },
            ) => rows.links.request(link_id.0),
            _ => {}
        }
    }

    fn fold(rows: &mut Rows, decoded: &DecodedEvent) {
        match &decoded.event {
            AnyEvent::Asset(event) => fold_asset(&mut rows.assets, decoded, event),
            AnyEvent::AssetTree(event) => fold_place(&mut rows.places, decoded, event),
            AnyEvent::DeviceLinks(event) => fold_link(&mut rows.links, decoded, event),
            _ => {}
        }
    }
}

fn fold_asset(assets: &mut RowBatch<AssetRow>, decoded: &DecodedEvent, event: &AssetEvent) {
    let mut update = |change: &dyn Fn(&mut AssetRow)| {
        assets.update(decoded.id, |row| {
            change(row);
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        });
    };
    match event {
        AssetEvent::AssetRegistered { .. } => {
            if let Some(row) = registered(event, decoded) {
                assets.upsert(row);
            }
        }
        AssetEvent::AssetProfileApplied { applied } => update(&|row| {
            row.profile_id = Some(applied.profile_id.0);
            row.health_thresholds = Some(applied.health_thresholds);
            row.telemetry_mappings = Some(applied.telemetry_mappings.clone());
            row.icon.clone_from(&applied.icon);
        }),
        AssetEvent::AssetRenamed { name } => update(&|row| row.name.clone_from(name)),
        AssetEvent::AssetDescribed { description } => update(&|row| row.description.clone_from(description)),
        AssetEvent::AssetRelocated { location } => update(&|row| {
            row.latitude = location.map(|place| place.latitude);
            row.longitude = location.map(|place| place.longitude);
        }),
        AssetEvent::AssetAttributesChanged { custom_attributes } => {
            update(&|row| row.custom_attributes = object(custom_attributes));
        }
        AssetEvent::AssetTakenOutOfService { reason } => update(&|row| {
            row.out_of_service = true;
            row.out_of_service_reason = Some(reason.clone());
        }),
        AssetEvent::AssetReturnedToService {} => update(&|row| {
            row.out_of_service = false;
            row.out_of_service_reason = None;
        }),
        AssetEvent::AssetRetired { reason } => update(&|row| {
            row.retired = true;
            row.retired_reason = Some(reason.clone());
        }),
    }
}

fn registered(event: &AssetEvent, decoded: &DecodedEvent) -> Option<AssetRow> {
    let AssetEvent::AssetRegistered { name, description, asset_type_id, kind, location, custom_attributes } = event
    else {
        return None;
    };
    Some(AssetRow {
        id: decoded.id,
        organization_id: decoded.organization,
        name: name.clone(),
        description: description.clone(),
        asset_type_id: asset_type_id.0,
        kind: enum_text(kind),
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
        created_at: decoded.recorded_at(),
        created_by: decoded.actor(),
        updated_at: decoded.recorded_at(),
        version: decoded.version,
        position: decoded.position,
    })
}

fn fold_place(places: &mut RowBatch<PlaceRow>, decoded: &DecodedEvent, event: &AssetTreeEvent) {
    match event {
        AssetTreeEvent::AssetPlaced { asset, parent } => places.upsert(PlaceRow {
            asset_id: asset.0,
            organization_id: decoded.organization,
            parent_id: parent.0,
            position: decoded.position,
        }),
        AssetTreeEvent::AssetDetached { asset } => places.remove(asset.0),
    }
}

fn fold_link(links: &mut RowBatch<LinkRow>, decoded: &DecodedEvent, event: &DeviceLinksEvent) {
    match event {
        DeviceLinksEvent::AssetLinked { link_id, asset_id, port, role, valid_from, valid_until, metrics_mapping } => {
            links.upsert(LinkRow {
                id: link_id.0,
                organization_id: decoded.organization,
                device_id: decoded.id,
                asset_id: asset_id.0,
                port: port.map(i32::from),
                role: enum_text(role),
                valid_from: *valid_from,
                valid_until: *valid_until,
                metrics_mapping: metrics_mapping.clone(),
                position: decoded.position,
            });
        }
        DeviceLinksEvent::LinkCorrected { link_id, port, role, valid_from, valid_until, metrics_mapping, .. } => {
            links.update(link_id.0, |row| {
                (row.port, row.role) = (port.map(i32::from), enum_text(role));
                (row.valid_from, row.valid_until) = (*valid_from, *valid_until);
                row.metrics_mapping.clone_from(metrics_mapping);
                row.position = decoded.position;
            });
        }
        DeviceLinksEvent::AssetUnlinked { link_id, valid_until, .. } => links.update(link_id.0, |row| {
            row.valid_until = Some(*valid_until);
            row.position = decoded.position;
        }),
    }
}
