//! Dispatching: one command on one aggregate.

use std::collections::BTreeSet;

use commands::{Error, Reference};
use domain::asset::{Asset, AssetCommand};
use domain::asset_tree::{AssetTree, AssetTreeCommand};
use domain::asset_type::{AssetType, AssetTypeCommand};
use domain::device::{Device, DeviceCommand, Error as DeviceRefusal};
use domain::ids::{AssetId, AssetTypeId};
use domain::metadata::Metadata;
use domain::organization::{Organization, OrganizationCommand};
use domain::rule::EntityKind;
use eventlog::{Stream, envelope};
use serde_json::json;
use uuid::Uuid;

use crate::test_platform::{TestPlatform, context, found, id, now, open};

fn register(platform: &TestPlatform) -> DeviceCommand {
    DeviceCommand::RegisterDevice {
        name: "Probe".into(),
        description: None,
        serial_number: "SN-1".into(),
        device_type_id: platform.device_type,
        custom_attributes: json!({}),
    }
}

fn rename(name: &str) -> DeviceCommand {
    DeviceCommand::RenameDevice { name: name.into() }
}

/// A platform with one device, and the device's id.
async fn platform_with_device() -> (TestPlatform, Uuid) {
    let platform = TestPlatform::new().await;
    let device = id("device", 1);
    platform.commands.execute::<Device>(&platform.context(1), device, register(&platform)).await.unwrap();
    (platform, device)
}

#[tokio::test]
async fn the_events_of_a_command_record_its_actor_and_cause() {
    let (platform, device) = platform_with_device().await;
    let cause = platform.context(2).step("rename");
    let receipt = platform.commands.execute::<Device>(&cause, device, rename("Probe 2")).await.unwrap();
    assert_eq!((receipt.stream, receipt.version, receipt.repeated), (Stream::Es, 2, false));
    let messages = platform.messages(platform.organization, "device", device).await;
    assert_eq!(messages.last().unwrap().sequence, receipt.position);
    let stored = envelope::decode(&messages[1].payload).unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].event_type, "DeviceRenamed");
    assert_eq!(
        Metadata::from_map(&stored[0].metadata).unwrap(),
        Metadata {
            actor: cause.actor,
            organization: platform.organization,
            command_id: cause.command_id,
            correlation_id: cause.correlation_id,
            causation_id: Some(platform.context(2).command_id),
            recorded_at: now(),
            traceparent: None,
        }
    );
}

#[tokio::test]
async fn a_command_id_takes_effect_once_and_a_repeat_returns_the_same_receipt() {
    let (platform, device) = platform_with_device().await;
    let first = platform.commands.execute::<Device>(&platform.context(2), device, rename("Probe 2")).await.unwrap();
    platform.commands.execute::<Device>(&platform.context(3), device, rename("Probe 3")).await.unwrap();
    let again = platform.commands.execute::<Device>(&platform.context(2), device, rename("Probe 2")).await.unwrap();
    assert_eq!(again, commands::Receipt { repeated: true, ..first });
    let other_process = open(&platform.log, &platform.keys).await;
    assert_eq!(other_process.execute::<Device>(&platform.context(2), device, rename("Probe 2")).await.unwrap(), again);
    assert_eq!(platform.messages(platform.organization, "device", device).await.len(), 3);
}

#[tokio::test]
async fn the_repeat_of_a_command_that_would_now_be_refused_returns_the_first_receipt() {
    let (platform, device) = platform_with_device().await;
    let first = platform.commands.execute::<Device>(&platform.context(2), device, rename("Probe 2")).await.unwrap();
    let decommission = DeviceCommand::DecommissionDevice { reason: "broken".into() };
    platform.commands.execute::<Device>(&platform.context(3), device, decommission).await.unwrap();
    let again = platform.commands.execute::<Device>(&platform.context(2), device, rename("Probe 2")).await.unwrap();
    assert_eq!((again.position, again.repeated), (first.position, true));
    let new = platform.commands.execute::<Device>(&platform.context(4), device, rename("Probe 2")).await;
    assert!(matches!(new, Err(Error::Refused(DeviceRefusal::Decommissioned))), "{new:?}");
}

#[tokio::test]
async fn a_command_that_changes_nothing_stores_no_event() {
    let (platform, device) = platform_with_device().await;
    let receipt = platform.commands.execute::<Device>(&platform.context(2), device, rename("Probe")).await.unwrap();
    assert_eq!((receipt.version, receipt.repeated), (1, false));
    assert_eq!(platform.messages(platform.organization, "device", device).await.len(), 1);
}

#[tokio::test]
async fn the_aggregates_of_another_organization_are_not_found() {
    let (platform, device) = platform_with_device().await;
    let other = found(&platform.commands, "Other", 2).await;
    let refused = platform.commands.execute::<Device>(&context(other, 5), device, rename("Mine")).await;
    assert!(matches!(refused, Err(Error::Refused(DeviceRefusal::NotFound))), "{refused:?}");
    assert!(platform.commands.load::<Device>(other, device).await.unwrap().is_none());
    let theirs = platform.commands.execute::<Device>(&context(other, 6), id("device", 2), register(&platform)).await;
    let missing = Reference::DeviceType(platform.device_type);
    assert!(matches!(theirs, Err(Error::Missing(reference)) if reference == missing), "{theirs:?}");
    let (state, version) = platform.commands.load::<Device>(platform.organization, device).await.unwrap().unwrap();
    assert_eq!((state.profile.unwrap().name.as_str(), version), ("Probe", 1));
}

#[tokio::test]
async fn a_cached_state_is_reloaded_before_a_command_is_refused_or_changes_nothing() {
    let (platform, device) = platform_with_device().await;
    let other_process = open(&platform.log, &platform.keys).await;
    for round in 0..40 {
        // Each handle's cache holds the name that it stored last, until it receives the other handle's event.
        let (here, there) = (platform.context(100 + 2 * round), platform.context(101 + 2 * round));
        let first = platform.commands.execute::<Device>(&here, device, rename("Here")).await.unwrap();
        let second = other_process.execute::<Device>(&there, device, rename("There")).await.unwrap();
        assert_eq!((first.version, second.version), (2 + 2 * round as u64, 3 + 2 * round as u64));
    }
    let decommission = DeviceCommand::DecommissionDevice { reason: "broken".into() };
    other_process.execute::<Device>(&platform.context(2), device, decommission).await.unwrap();
    let refused = platform.commands.execute::<Device>(&platform.context(3), device, rename("There")).await;
    assert!(matches!(refused, Err(Error::Refused(DeviceRefusal::Decommissioned))), "{refused:?}");
}

#[tokio::test]
async fn a_stale_cache_does_not_refuse_a_valid_command() {
    let platform = TestPlatform::new().await;
    let other_process = open(&platform.log, &platform.keys).await;
    let organization = platform.organization.0;
    for round in 0..40 {
        let n = 1000 + 10 * round;
        let suspend = OrganizationCommand::SuspendOrganization { reason: "unpaid".into() };
        let rename = OrganizationCommand::RenameOrganization { name: format!("Acme {round}") };
        // One handle has cached the suspended state; after the other reinstates the organisation, the rename must
        // succeed at once.
        platform.commands.execute::<Organization>(&platform.context(n), organization, suspend).await.unwrap();
        let reinstate = OrganizationCommand::ReinstateOrganization {};
        other_process.execute::<Organization>(&platform.context(n + 1), organization, reinstate).await.unwrap();
        platform.commands.execute::<Organization>(&platform.context(n + 2), organization, rename).await.unwrap();
    }
}

#[tokio::test]
async fn a_repeat_is_recognised_after_hundreds_of_other_commands() {
    let (platform, device) = platform_with_device().await;
    let first = platform.commands.execute::<Device>(&platform.context(2), device, rename("Probe 2")).await.unwrap();
    for n in 0..300 {
        let name = format!("Probe {}", 3 + n);
        platform.commands.execute::<Device>(&platform.context(100 + n), device, rename(&name)).await.unwrap();
    }
    let decommission = DeviceCommand::DecommissionDevice { reason: "broken".into() };
    platform.commands.execute::<Device>(&platform.context(3), device, decommission).await.unwrap();
    let again = platform.commands.execute::<Device>(&platform.context(2), device, rename("Probe 2")).await.unwrap();
    assert_eq!(again, commands::Receipt { repeated: true, ..first });
}

#[tokio::test]
async fn a_command_must_not_refer_to_missing_or_retired_aggregates() {
    let platform = TestPlatform::new().await;
    let commands = &platform.commands;
    let register = |asset_type_id| AssetCommand::RegisterAsset {
        name: "Pump".into(),
        description: None,
        asset_type_id,
        kind: EntityKind::Asset,
        location: None,
        custom_attributes: json!({}),
        profile: None,
    };
    let asset_type = AssetTypeId(id("asset type", 0));
    let missing = commands.execute::<Asset>(&platform.context(1), id("asset", 1), register(asset_type)).await;
    assert!(matches!(missing, Err(Error::Missing(Reference::AssetType(id))) if id == asset_type), "{missing:?}");
    let define = AssetTypeCommand::DefineAssetType {
        name: "Pump".into(),
        description: None,
        icon: None,
        derived_metrics: vec![],
        combination: domain::asset_type::Combination::default(),
        health_model: None,
    };
    commands.execute::<AssetType>(&platform.context(2), asset_type.0, define).await.unwrap();
    let stored = commands.execute::<Asset>(&platform.context(1), id("asset", 1), register(asset_type)).await.unwrap();
    commands
        .execute::<AssetType>(&platform.context(3), asset_type.0, AssetTypeCommand::RetireAssetType {})
        .await
        .unwrap();
    let retired = commands.execute::<Asset>(&platform.context(4), id("asset", 2), register(asset_type)).await;
    assert!(matches!(retired, Err(Error::Missing(_))), "{retired:?}");
    let again = commands.execute::<Asset>(&platform.context(1), id("asset", 1), register(asset_type)).await.unwrap();
    assert_eq!(
        (again.position, again.repeated),
        (stored.position, true),
        "a repeat does not check the references again"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_concurrent_writers_of_one_aggregate_lose_no_command() {
    let platform = TestPlatform::new().await;
    let other_process = open(&platform.log, &platform.keys).await;
    let define = AssetTypeCommand::DefineAssetType {
        name: "Pump".into(),
        description: None,
        icon: None,
        derived_metrics: vec![],
        combination: domain::asset_type::Combination::default(),
        health_model: None,
    };
    let asset_type = AssetTypeId(id("asset type", 0));
    platform.commands.execute::<AssetType>(&platform.context(1), asset_type.0, define).await.unwrap();
    for n in 0..=50 {
        let register = AssetCommand::RegisterAsset {
            name: format!("Pump {n}"),
            description: None,
            asset_type_id: asset_type,
            kind: EntityKind::Asset,
            location: None,
            custom_attributes: json!({}),
            profile: None,
        };
        platform.commands.execute::<Asset>(&platform.context(10 + n), id("asset", n), register).await.unwrap();
    }
    let writers: Vec<_> = (1..=50)
        .map(|n: u128| {
            let commands = if n.is_multiple_of(2) { platform.commands.clone() } else { other_process.clone() };
            let (context, tree) = (platform.context(100 + n), platform.organization.0);
            let place =
                AssetTreeCommand::PlaceAsset { asset: AssetId(id("asset", n)), parent: AssetId(id("asset", 0)) };
            tokio::spawn(async move { commands.execute::<AssetTree>(&context, tree, place).await })
        })
        .collect();
    let mut versions = BTreeSet::new();
    for writer in writers {
        versions.insert(writer.await.unwrap().unwrap().version);
    }
    assert_eq!(versions, (1..=50).collect());
    let tree =
        platform.commands.load::<AssetTree>(platform.organization, platform.organization.0).await.unwrap().unwrap();
    assert_eq!((tree.0.parents.len(), tree.1), (50, 50));
}
