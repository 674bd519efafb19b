//! Given/when/then tests of assets.

use AssetCommand as C;
use AssetEvent as E;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::given_when_then::{given, given_no_events};
use crate::ids::AssetTypeId;
use crate::rule::EntityKind;

const TYPE: AssetTypeId = AssetTypeId(Uuid::from_u128(7));
const BERLIN: Location = Location { latitude: 52.52, longitude: 13.4 };

fn register(name: &str, kind: EntityKind, location: Option<Location>, custom_attributes: Value) -> C {
    C::RegisterAsset {
        name: name.into(),
        description: None,
        asset_type_id: TYPE,
        kind,
        location,
        custom_attributes,
        profile: None,
    }
}

fn registered() -> E {
    E::AssetRegistered {
        name: "Pump".into(),
        description: None,
        asset_type_id: TYPE,
        kind: EntityKind::Asset,
        location: Some(BERLIN),
        custom_attributes: json!({}),
    }
}

fn retired() -> E {
    E::AssetRetired { reason: "sold".into() }
}

fn invalid_locations() -> Vec<Location> {
    let place = |latitude, longitude| Location { latitude, longitude };
    vec![place(90.1, 0.0), place(-90.1, 0.0), place(0.0, 180.1), place(0.0, -180.1), place(f64::NAN, 0.0)]
}

#[test]
fn an_asset_is_registered_once() {
    given_no_events::<Asset>().when(register(" Pump", EntityKind::Asset, Some(BERLIN), json!({}))).then([registered()]);
    given::<Asset>([registered()])
        .when(register("Pump", EntityKind::Asset, None, json!({})))
        .then_refused(Error::AlreadyExists);
}

#[test]
fn a_space_can_be_registered_without_a_location() {
    given_no_events::<Asset>().when(register("Hall", EntityKind::Space, None, json!({}))).then([E::AssetRegistered {
        name: "Hall".into(),
        description: None,
        asset_type_id: TYPE,
        kind: EntityKind::Space,
        location: None,
        custom_attributes: json!({}),
    }]);
}

#[test]
fn an_invalid_registration_is_rejected() {
    let asset = EntityKind::Asset;
    let table = [
        (register("", asset, None, json!({})), Error::InvalidName),
        (register(&"x".repeat(201), asset, None, json!({})), Error::InvalidName),
        (register("Pump", EntityKind::Device, None, json!({})), Error::InvalidKind),
        (register("Pump", asset, None, json!([])), Error::InvalidAttributes),
    ];
    for (command, refusal) in table {
        given_no_events::<Asset>().when(command).then_refused(refusal);
    }
    for location in invalid_locations() {
        given_no_events::<Asset>()
            .when(register("Pump", asset, Some(location), json!({})))
            .then_refused(Error::InvalidLocation);
        given::<Asset>([registered()])
            .when(C::RelocateAsset { location: Some(location) })
            .then_refused(Error::InvalidLocation);
    }
}

#[test]
fn a_change_emits_an_event_and_a_repetition_emits_none() {
    let pump = given::<Asset>([registered()]);
    pump.when(C::RenameAsset { name: "Pump 2".into() }).then([E::AssetRenamed { name: "Pump 2".into() }]);
    pump.when(C::RenameAsset { name: "Pump ".into() }).then_no_events();
    pump.when(C::RenameAsset { name: "".into() }).then_refused(Error::InvalidName);
    let describe = |description: Option<&str>| C::DescribeAsset { description: description.map(str::to_owned) };
    pump.when(describe(Some("new"))).then([E::AssetDescribed { description: Some("new".into()) }]);
    pump.when(describe(None)).then_no_events();
    pump.when(C::RelocateAsset { location: None }).then([E::AssetRelocated { location: None }]);
    pump.when(C::RelocateAsset { location: Some(BERLIN) }).then_no_events();
    let change = |custom_attributes: Value| C::ChangeAssetAttributes { custom_attributes };
    pump.when(change(json!({"a": 1}))).then([E::AssetAttributesChanged { custom_attributes: json!({"a": 1}) }]);
    pump.when(change(json!({}))).then_no_events();
    pump.when(change(json!(1))).then_refused(Error::InvalidAttributes);
}

#[test]
fn changes_are_applied_to_the_state() {
    let past = [
        registered(),
        E::AssetRenamed { name: "Pump 2".into() },
        E::AssetDescribed { description: Some("new".into()) },
        E::AssetRelocated { location: None },
        E::AssetAttributesChanged { custom_attributes: json!({"a": 1}) },
    ];
    let pump = given::<Asset>(past);
    pump.when(C::RenameAsset { name: "Pump 2".into() }).then_no_events();
    pump.when(C::DescribeAsset { description: Some("new".into()) }).then_no_events();
    pump.when(C::RelocateAsset { location: None }).then_no_events();
    pump.when(C::ChangeAssetAttributes { custom_attributes: json!({"a": 1}) }).then_no_events();
}

#[test]
fn an_unknown_or_retired_asset_cannot_be_changed() {
    let commands = [
        C::RenameAsset { name: "Other".into() },
        C::DescribeAsset { description: None },
        C::RelocateAsset { location: None },
        C::ChangeAssetAttributes { custom_attributes: json!({}) },
    ];
    for command in commands {
        given_no_events::<Asset>().when(command.clone()).then_refused(Error::NotFound);
        given::<Asset>([registered(), retired()]).when(command).then_refused(Error::Retired);
    }
}

#[test]
fn an_asset_is_retired_once_and_permanently() {
    let retire = || C::RetireAsset { reason: "sold".into() };
    given_no_events::<Asset>().when(retire()).then_refused(Error::NotFound);
    given::<Asset>([registered()]).when(retire()).then([retired()]);
    given::<Asset>([registered(), retired()]).when(retire()).then_no_events();
    assert!(given::<Asset>([registered()]).state().in_use());
    assert!(!given::<Asset>([registered(), retired()]).state().in_use());
    assert!(!given_no_events::<Asset>().state().in_use());
}

#[test]
fn an_asset_created_from_a_profile_records_the_profile() {
    let applied = crate::catalogue::asset_profile::AppliedProfile {
        profile_id: crate::ids::AssetProfileId(uuid::Uuid::from_u128(7)),
        health_thresholds: Default::default(),
        telemetry_mappings: Default::default(),
        icon: Some("pump".into()),
    };
    let C::RegisterAsset { name, description, asset_type_id, kind, location, custom_attributes, .. } =
        register("Pump", EntityKind::Asset, None, json!({}))
    else {
        unreachable!()
    };
    let profile = Some(applied.clone());
    let command = C::RegisterAsset { name, description, asset_type_id, kind, location, custom_attributes, profile };
    let made = crate::Decide::decide(given_no_events::<Asset>().state(), command).unwrap();
    assert_eq!(made[1], E::AssetProfileApplied { applied: applied.clone() });
    assert_eq!(given::<Asset>(made).state().applied, Some(applied));
}

#[test]
fn several_changes_are_applied_atomically() {
    let pump = given::<Asset>([registered()]);
    let rename = |name: &str| C::RenameAsset { name: name.into() };
    let relocate = |location| C::RelocateAsset { location };
    let changes = vec![rename("Pump 2"), relocate(None)];
    let [renamed, relocated] = [E::AssetRenamed { name: "Pump 2".into() }, E::AssetRelocated { location: None }];
    pump.when(C::ReviseAsset { changes }).then([renamed, relocated]);
    let changes = vec![rename("Pump 2"), relocate(invalid_locations().pop())];
    pump.when(C::ReviseAsset { changes }).then_refused(Error::InvalidLocation);
}

#[test]
fn an_asset_goes_out_of_service_and_returns() {
    let take = |reason: &str| C::TakeAssetOutOfService { reason: reason.into() };
    let taken = || E::AssetTakenOutOfService { reason: "overhaul".into() };
    given::<Asset>([registered()]).when(take(" overhaul ")).then([taken()]);
    given::<Asset>([registered(), taken()]).when(take("again")).then_no_events();
    given::<Asset>([registered()]).when(C::ReturnAssetToService {}).then_no_events();
    given::<Asset>([registered(), taken()]).when(C::ReturnAssetToService {}).then([E::AssetReturnedToService {}]);
    given::<Asset>([registered(), taken(), E::AssetReturnedToService {}]).when(take("overhaul")).then([taken()]);
    for reason in ["", " ", &"x".repeat(4001)] {
        given::<Asset>([registered()]).when(take(reason)).then_refused(Error::InvalidReason);
    }
    given::<Asset>([registered(), retired()]).when(take("x")).then_refused(Error::Retired);
    given_no_events::<Asset>().when(take("x")).then_refused(Error::NotFound);
}
