//! Unit tests of the fold and of its rows.

use std::collections::BTreeMap;

use domain::asset::{AssetEvent, Location};
use domain::asset_tree::AssetTreeEvent;
use domain::device_links::{DeviceLinksEvent, LinkRole};
use domain::ids::{AssetId, AssetTypeId, LinkId};
use domain::rule::EntityKind;
use serde_json::json;
use uuid::Uuid;

use super::{AssetRow, Assets, LinkRow, PlaceRow};
use crate::test_events::{ID, ORGANIZATION, at, rows_after};

const OTHER: Uuid = Uuid::from_u128(7);

fn registered() -> AssetEvent {
    AssetEvent::AssetRegistered {
        name: "Pump".into(),
        description: None,
        asset_type_id: AssetTypeId(Uuid::from_u128(9)),
        kind: EntityKind::Space,
        location: None,
        custom_attributes: json!({}),
    }
}

#[test]
fn each_event_of_an_asset_changes_its_own_columns() {
    let first = rows_after::<Assets, _>("asset", &[registered()]).assets.get(ID).cloned().unwrap();
    assert_eq!(
        (first.name.as_str(), first.kind.as_str(), first.retired, first.created_at),
        ("Pump", "space", false, at(1))
    );
    let at_two = AssetRow { updated_at: at(2), version: 2, position: 2, ..first };
    let place = Location { latitude: 48.0, longitude: 11.0 };
    let retired = AssetRow { retired: true, retired_reason: Some("sold".into()), ..at_two.clone() };
    for (event, expected) in [
        (AssetEvent::AssetRenamed { name: "Other".into() }, AssetRow { name: "Other".into(), ..at_two.clone() }),
        (
            AssetEvent::AssetDescribed { description: Some("Here".into()) },
            AssetRow { description: Some("Here".into()), ..at_two.clone() },
        ),
        (
            AssetEvent::AssetRelocated { location: Some(place) },
            AssetRow { latitude: Some(48.0), longitude: Some(11.0), ..at_two.clone() },
        ),
        (
            AssetEvent::AssetAttributesChanged { custom_attributes: json!({"a": 1}) },
            AssetRow { custom_attributes: json!({"a": 1}), ..at_two.clone() },
        ),
        (AssetEvent::AssetRetired { reason: "sold".into() }, retired),
    ] {
        let rows = rows_after::<Assets, _>("asset", &[registered(), event]);
        assert_eq!(rows.assets.get(ID), Some(&expected));
    }
}

#[test]
fn an_asset_has_one_place_in_the_tree_or_none() {
    let placed = |parent| AssetTreeEvent::AssetPlaced { asset: AssetId(OTHER), parent: AssetId(parent) };
    let rows = rows_after::<Assets, _>("asset_tree", &[placed(ID), placed(ORGANIZATION)]);
    let expected = PlaceRow { asset_id: OTHER, organization_id: ORGANIZATION, parent_id: ORGANIZATION, position: 2 };
    assert_eq!(rows.places.get(OTHER), Some(&expected));
    let detached = AssetTreeEvent::AssetDetached { asset: AssetId(OTHER) };
    assert_eq!(rows_after::<Assets, _>("asset_tree", &[placed(ID), detached]).places.iter().count(), 0);
}

#[test]
fn a_link_ends_when_it_is_unlinked() {
    let linked = DeviceLinksEvent::AssetLinked {
        link_id: LinkId(OTHER),
        asset_id: AssetId(ORGANIZATION),
        port: Some(2),
        role: LinkRole::Backup,
        valid_from: at(0),
        valid_until: None,
        metrics_mapping: BTreeMap::new(),
    };
    let row = LinkRow {
        id: OTHER,
        organization_id: ORGANIZATION,
        device_id: ID,
        asset_id: ORGANIZATION,
        port: Some(2),
        role: "backup".into(),
        valid_from: at(0),
        valid_until: None,
        metrics_mapping: BTreeMap::new(),
        position: 1,
    };
    assert_eq!(rows_after::<Assets, _>("device_links", std::slice::from_ref(&linked)).links.get(OTHER), Some(&row));
    let unlinked = DeviceLinksEvent::AssetUnlinked {
        link_id: LinkId(OTHER),
        asset_id: AssetId(ORGANIZATION),
        valid_until: at(50),
    };
    let rows = rows_after::<Assets, _>("device_links", &[linked, unlinked]);
    assert_eq!(rows.links.get(OTHER), Some(&LinkRow { valid_until: Some(at(50)), position: 2, ..row }));
}
