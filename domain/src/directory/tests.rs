//! Given/when/then tests of the directory.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::AnyEvent;
use crate::ids::{ActivityTemplateId, AssetId, AssetTypeId, DeviceId, DeviceTypeId, OrganizationId, RuleId};
use crate::organization::OrganizationEvent;
use crate::rule::EntityKind;

const ACME: OrganizationId = OrganizationId(Uuid::from_u128(0xac));
const OTHER: OrganizationId = OrganizationId(Uuid::from_u128(0x0f));
const ID: Uuid = Uuid::from_u128(7);
const ASSET: Uuid = Uuid::from_u128(8);
const TYPE: Uuid = Uuid::from_u128(9);

fn event(kind: &str, name: &str, payload: serde_json::Value) -> AnyEvent {
    AnyEvent::decode(kind, name, payload).unwrap()
}

fn apply(directory: &mut Directory, position: u64, id: Uuid, kind: &str, name: &str, payload: serde_json::Value) {
    directory.apply(position, ACME, id, &event(kind, name, payload));
}

fn registered() -> serde_json::Value {
    json!({"name": "pump", "serial_number": "S1", "device_type_id": ID, "custom_attributes": {}})
}

#[test]
fn a_device_is_found_as_of_each_position() {
    let mut directory = Directory::default();
    apply(&mut directory, 5, ID, "device", "DeviceRegistered", registered());
    apply(&mut directory, 8, ID, "device", "DeviceRenamed", json!({"name": "pump 2"}));
    apply(&mut directory, 9, ID, "device", "DeviceDecommissioned", json!({"reason": "old"}));
    let seen =
        |at| directory.as_of(at).device(DeviceId(ID)).map(|device| (device.name.as_str(), device.decommissioned));
    let expected = [
        None,
        Some(("pump", false)),
        Some(("pump", false)),
        Some(("pump 2", false)),
        Some(("pump 2", true)),
        Some(("pump 2", true)),
    ];
    assert_eq!([4, 5, 7, 8, 9, 99].map(seen), expected);
    assert_eq!(directory.position(), 9);
    assert!(directory.device_now(DeviceId(ID)).unwrap().decommissioned);
    assert_eq!(directory.device_now(DeviceId(ASSET)), None);
}

#[test]
fn a_change_of_an_unknown_entry_is_ignored() {
    let mut directory = Directory::default();
    apply(&mut directory, 1, ID, "device", "DeviceRenamed", json!({"name": "ghost"}));
    apply(&mut directory, 2, ID, "rule", "RuleActivated", json!({}));
    apply(&mut directory, 3, ID, "certificate", "CertificateRevoked", json!({"reason": "", "code": "unspecified"}));
    assert_eq!(directory.as_of(9).device(DeviceId(ID)), None);
    assert_eq!(directory.as_of(9).rule(RuleId(ID)), None);
    assert_eq!(directory.position(), 3);
}

#[test]
fn links_have_a_history_by_position_and_windows_by_time() {
    let mut directory = Directory::default();
    let from: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let until: DateTime<Utc> = "2026-02-01T00:00:00Z".parse().unwrap();
    let mapping = BTreeMap::from([("device.v".to_owned(), "asset.w".to_owned())]);
    let linked =
        json!({"link_id": ID, "asset_id": ASSET, "role": "primary", "valid_from": from, "metrics_mapping": mapping});
    apply(&mut directory, 3, ID, "device_links", "AssetLinked", linked.clone());
    apply(&mut directory, 3, ID, "device_links", "AssetLinked", linked);
    apply(
        &mut directory,
        6,
        ID,
        "device_links",
        "AssetUnlinked",
        json!({"link_id": ID, "asset_id": ASSET, "valid_until": until}),
    );
    let seen =
        |at| directory.as_of(at).links_of(DeviceId(ID)).iter().map(|link| link.is_valid_at(until)).collect::<Vec<_>>();
    assert_eq!((seen(2), seen(5), seen(6)), (vec![], vec![true], vec![false]));
    let link = &directory.as_of(9).links_of(DeviceId(ID))[0];
    assert_eq!((link.asset_id, &link.metrics_mapping), (AssetId(ASSET), &mapping));
}

fn definition(entity: Option<Uuid>, active: bool) -> serde_json::Value {
    json!({"definition": {"name": "hot", "entity_type": "asset", "entity_id": entity, "metric_key": "t",
        "condition": {"operator": ">", "value": 80.0}, "severity": "high", "action": {"type": "none"},
        "cooldown_seconds": 0, "is_active": active}})
}

fn rules(
    directory: &Directory,
    organization: OrganizationId,
    kind: EntityKind,
    entity: Uuid,
    at: u64,
) -> Vec<(RuleId, u64)> {
    directory
        .as_of(at)
        .rules_for(organization, kind, TYPE, entity)
        .map(|rule| (rule.rule, rule.decides_since))
        .collect()
}

#[test]
fn rules_are_found_by_kind_and_entity_within_their_organisation_until_they_are_retired() {
    let mut directory = Directory::default();
    let (of_kind, of_entity) = (Uuid::from_u128(1), Uuid::from_u128(2));
    apply(&mut directory, 1, of_kind, "rule", "RuleDefined", definition(None, true));
    apply(&mut directory, 2, of_entity, "rule", "RuleDefined", definition(Some(ASSET), false));
    apply(&mut directory, 3, of_entity, "rule", "RuleActivated", json!({}));
    apply(
        &mut directory,
        4,
        of_kind,
        "rule",
        "RuleConditionChanged",
        json!({"metric_key": "t", "condition": {"operator": "<", "value": 1.0}}),
    );
    apply(&mut directory, 5, of_kind, "rule", "RuleSeverityChanged", json!({"severity": "low"}));
    apply(&mut directory, 6, of_kind, "rule", "RuleRetired", json!({}));
    let seen = |at| rules(&directory, ACME, EntityKind::Asset, ASSET, at);
    let (kind, entity) = (RuleId(of_kind), RuleId(of_entity));
    assert_eq!(seen(0), []);
    assert_eq!(seen(2), [(kind, 1), (entity, 2)], "a paused rule still watches");
    assert_eq!(seen(3), [(kind, 1), (entity, 3)]);
    assert_eq!(seen(5), [(kind, 4), (entity, 3)], "a change of severity does not affect decisions");
    assert_eq!(seen(6), [(entity, 3)]);
    assert_eq!(rules(&directory, ACME, EntityKind::Asset, ID, 5), [(kind, 4)]);
    assert_eq!(rules(&directory, ACME, EntityKind::Space, ID, 5), []);
    assert_eq!(rules(&directory, OTHER, EntityKind::Asset, ASSET, 5), []);
}

#[test]
fn types_are_sorted_by_key_and_assets_know_their_parent() {
    let mut directory = Directory::default();
    let metrics = json!([{"key": "z"}, {"key": "a", "required": true}]);
    let defined = json!({"name": "T", "metrics": metrics, "unknown_metrics": "keep"});
    apply(&mut directory, 1, ID, "device_type", "DeviceTypeDefined", defined);
    let keys: Vec<_> = directory
        .as_of(1)
        .device_type(DeviceTypeId(ID))
        .unwrap()
        .metrics
        .iter()
        .map(|metric| metric.key.as_str())
        .collect();
    assert_eq!(keys, ["a", "z"]);
    let registered = json!({"name": "A", "asset_type_id": ID, "kind": "asset", "custom_attributes": {}});
    apply(&mut directory, 2, ASSET, "asset", "AssetRegistered", registered);
    apply(&mut directory, 3, ACME.0, "asset_tree", "AssetPlaced", json!({"asset": ASSET, "parent": ID}));
    assert_eq!(directory.as_of(2).asset(AssetId(ASSET)).unwrap().parent, None);
    assert_eq!(directory.as_of(3).asset(AssetId(ASSET)).unwrap().parent, Some(AssetId(ID)));
    let bands = json!([{"metric_key": "t", "good_low": 0.0, "good_high": 1.0, "limit_low": -1.0, "limit_high": 2.0, "weight": 1.0}]);
    apply(
        &mut directory,
        4,
        ID,
        "asset_type",
        "AssetTypeDefined",
        json!({"name": "T", "derived_metrics": [], "health_model": {"bands": bands}}),
    );
    assert_eq!(directory.as_of(4).asset_type(AssetTypeId(ID)).unwrap().health_model.as_ref().unwrap().bands.len(), 1);
}

#[test]
fn scores_since_is_the_last_change_that_affects_scoring() {
    let mut directory = Directory::default();
    let band = json!({"metric_key": "t", "good_low": 0.0, "good_high": 1.0, "limit_low": -1.0, "limit_high": 2.0, "weight": 1.0});
    let plain = json!({"name": "T", "derived_metrics": [], "health_model": {"bands": [band]}});
    let with = |key: &str, value| {
        let mut changed = plain.clone();
        changed[key] = value;
        changed
    };
    let twice = json!([{"key": "t", "formula": "u * 2"}]);
    let combined = json!({"stale_after_seconds": 9});
    apply(&mut directory, 1, ID, "asset_type", "AssetTypeDefined", plain.clone());
    for (position, revised) in [
        (2, with("name", json!("U"))),
        (3, with("health_model", json!({"bands": [band], "stale_after_seconds": 5}))),
        (4, with("derived_metrics", twice)),
        (5, with("combination", combined.clone())),
        (6, with("combination", combined)),
    ] {
        apply(&mut directory, position, ID, "asset_type", "AssetTypeRevised", revised);
    }
    apply(&mut directory, 7, ID, "asset_type", "AssetTypeRetired", json!({}));
    let since = |at| directory.as_of(at).asset_type(AssetTypeId(ID)).unwrap().scores_since;
    assert_eq!([1, 2, 3, 4, 5, 6, 7].map(since), [1, 1, 3, 4, 5, 5, 5]);
}

#[test]
fn only_active_templates_are_listed() {
    let mut directory = Directory::default();
    let definition = json!({"definition": {"name": "Fix", "trigger_event_type": "THRESHOLD_BREACH", "default_priority": "high", "is_active": true}});
    apply(&mut directory, 1, ID, "activity_template", "ActivityTemplateDefined", definition.clone());
    apply(&mut directory, 2, ID, "activity_template", "ActivityTemplateRevised", definition);
    apply(&mut directory, 3, ID, "activity_template", "ActivityTemplateRetired", json!({}));
    let seen = |at| directory.as_of(at).templates(ACME).map(|template| template.template).collect::<Vec<_>>();
    assert_eq!((seen(0), seen(2), seen(3)), (vec![], vec![ActivityTemplateId(ID)], vec![]));
    assert!(directory.as_of(9).template(ActivityTemplateId(ID)).unwrap().retired);
}

#[test]
fn organisations_and_certificates_are_found_in_their_newest_state() {
    let mut directory = Directory::default();
    apply(&mut directory, 1, ACME.0, "organization", "OrganizationFounded", json!({"name": "Acme"}));
    let authority = json!({"certificate_pem": "PEM", "subject_key_id": "ab", "not_after": "2036-01-01T00:00:00Z"});
    apply(&mut directory, 2, ACME.0, "organization", "CertificateAuthorityRecorded", authority);
    apply(&mut directory, 3, ACME.0, "organization", "OrganizationSuspended", json!({"reason": "unpaid"}));
    let organization = directory.organization_now(ACME).unwrap();
    assert_eq!(
        (organization.suspended, organization.authority.as_ref().unwrap().subject_key_id.as_str()),
        (true, "ab")
    );
    let issued = json!({"device_id": ID, "serial_number": "0a", "certificate_pem": "PEM", "fingerprint_sha256": "00",
        "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z"});
    apply(&mut directory, 4, ASSET, "certificate", "CertificateIssued", issued);
    assert!(!directory.certificate_now("0a").unwrap().revoked);
    apply(
        &mut directory,
        5,
        ASSET,
        "certificate",
        "CertificateRevoked",
        json!({"reason": "lost", "code": "key_compromise"}),
    );
    assert!(directory.certificate_now("0a").unwrap().revoked);
    assert_eq!(directory.certificate_now("0b"), None);
}

#[test]
fn a_rule_for_a_type_watches_only_entities_of_that_type() {
    let mut directory = Directory::default();
    let mut of_type = definition(None, true);
    of_type["definition"]["type_id"] = json!(TYPE);
    apply(&mut directory, 1, ID, "rule", "RuleDefined", of_type);
    assert_eq!(rules(&directory, ACME, EntityKind::Asset, ASSET, 1), [(RuleId(ID), 1)]);
    assert!(rules(&directory, OTHER, EntityKind::Asset, ASSET, 1).is_empty());
    assert!(rules(&directory, ACME, EntityKind::Device, ASSET, 1).is_empty());
    assert!(directory.as_of(1).rules_for(ACME, EntityKind::Asset, ID, ASSET).next().is_none());
}

#[test]
fn an_asset_is_out_of_service_together_with_its_ancestors() {
    let mut directory = Directory::default();
    let registered = json!({"name": "a", "asset_type_id": TYPE, "kind": "asset", "custom_attributes": {}});
    for (position, id) in [(1, ID), (2, ASSET)] {
        apply(&mut directory, position, id, "asset", "AssetRegistered", registered.clone());
    }
    apply(&mut directory, 3, ACME.0, "asset_tree", "AssetPlaced", json!({"asset": ASSET, "parent": ID}));
    apply(&mut directory, 4, ID, "asset", "AssetTakenOutOfService", json!({"reason": "overhaul"}));
    apply(&mut directory, 5, ID, "asset", "AssetReturnedToService", json!({}));
    let out = |id, at| directory.as_of(at).is_out_of_service(AssetId(id));
    assert_eq!([3, 4, 5].map(|at| (out(ID, at), out(ASSET, at))), [(false, false), (true, true), (false, false)]);
    assert!(!out(TYPE, 5), "an unknown asset is not out of service");
}

#[test]
fn shelving_is_found_as_of_each_position() {
    let mut directory = Directory::default();
    let until: DateTime<Utc> = "2026-11-25T10:00:00Z".parse().unwrap();
    let shelved = json!({"rule_id": ID, "entity_id": ASSET, "until": until, "reason": "cleaning"});
    apply(&mut directory, 2, TYPE, "shelving", "AlarmsShelved", shelved);
    apply(&mut directory, 4, TYPE, "shelving", "AlarmsUnshelved", json!({"rule_id": ID, "entity_id": ASSET}));
    let seen = [1, 2, 3, 4].map(|at| directory.as_of(at).shelved_until(RuleId(ID), ASSET));
    assert_eq!(seen, [None, Some(until), Some(until), None]);
    assert_eq!(directory.as_of(3).shelved_until(RuleId(ASSET), ID), None);
}

#[test]
fn telemetry_retention_is_found_as_of_each_position_and_organisation() {
    let mut directory = Directory::default();
    let days = |days| AnyEvent::Organization(OrganizationEvent::TelemetryRetentionChanged { days });
    directory.apply(5, ACME, ACME.0, &days(30));
    directory.apply(8, ACME, ACME.0, &days(400));
    let kept = [4, 5, 7, 8].map(|at| directory.as_of(at).telemetry_retention_days(ACME));
    assert_eq!(kept, [365, 30, 30, 400]);
    assert_eq!(directory.as_of(8).telemetry_retention_days(OTHER), 365);
}
