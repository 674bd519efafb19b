//! The read functions over the sample organisation.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::sample::{self, ACTIVITY, ALARM, API_KEY, CERTIFICATE, DEVICE, OLD_DEVICE, PUMP, RULE, SITE};
use common::{ORGANIZATION, USER, World, seconds, world};
use projections::Paging;
use projections::activity_board::read as activities;
use projections::alarm_board::read as alarms;
use projections::asset_directory::read as assets;
use projections::asset_health::read as health;
use projections::audit_log::read as audit;
use projections::certificate_register::list::{self as certificate_list, CertificateFilter, Cursor};
use projections::certificate_register::read as certificates;
use projections::dead_letters::read as letters;
use projections::device_directory::read as devices;
use projections::latest_telemetry::read as latest;
use projections::rule_book::read as rules;
use projections::system_events::read as events;
use projections::tenant_register::read as tenants;
use projections::time_travel;
use projections::type_catalogue::read as types;
use serde_json::json;
use uuid::Uuid;

const STRANGER: Uuid = Uuid::from_u128(0xff);

async fn sampled() -> World {
    let world = world().await;
    sample::store(&world).await;
    world.catch_up_all().await;
    world
}

#[tokio::test]
async fn devices_are_listed_by_name_with_filters_and_pages() {
    let world = sampled().await;
    let list = async |filter: devices::DeviceFilter, paging| {
        let page = devices::list(&world.reader, ORGANIZATION, &filter, paging).await.unwrap();
        (page.items.into_iter().map(|device| device.row.id).collect::<Vec<_>>(), page.total)
    };
    let all = Paging::default;
    let any = devices::DeviceFilter::default;
    assert_eq!(list(any(), all()).await, (vec![DEVICE, OLD_DEVICE], 2));
    assert_eq!(list(any(), Paging { limit: 1, offset: 1, after: None }).await, (vec![OLD_DEVICE], 2));
    assert_eq!(list(any(), Paging { limit: 1, offset: 9, after: None }).await, (vec![], 2));
    let status = devices::DeviceFilter { status: Some("decommissioned".into()), ..any() };
    assert_eq!(list(status, all()).await, (vec![OLD_DEVICE], 1));
    let there = devices::DeviceFilter { connectivity: Some("online".into()), ..any() };
    assert_eq!(list(there, all()).await, (vec![DEVICE], 1));
    let kind = devices::DeviceFilter { device_type_id: Some(sample::DEVICE_TYPE), ..any() };
    assert_eq!(list(kind, all()).await.1, 2);
    for (text, count) in [("boiler", 1), ("sn-2", 1), ("CELLAR", 2), ("100%", 0), ("_", 0)] {
        let found = list(devices::DeviceFilter { text: Some(text.into()), ..any() }, all()).await;
        assert_eq!(found.1, count, "{text}");
    }
    assert_eq!(devices::list(&world.reader, STRANGER, &any(), all()).await.unwrap().total, 0);
}

#[tokio::test]
async fn a_device_shows_its_connectivity_and_when_it_was_last_seen() {
    let world = sampled().await;
    let device = devices::get(&world.reader, ORGANIZATION, DEVICE).await.unwrap().unwrap();
    assert_eq!((device.row.name.as_str(), device.row.description.as_deref()), ("Boiler sensor", Some("In the cellar")));
    assert_eq!(device.row.custom_attributes, json!({"floor": 1, "ratio": 0.1}));
    assert_eq!((device.connectivity.as_str(), device.last_connectivity_change), ("online", Some(seconds(1))));
    assert_eq!((device.device_type_name.as_deref(), device.linked_assets_count), (Some("Sensor"), 1));
    // The newest reading arrived after the session began.
    assert_eq!(device.last_seen, Some(seconds(11)));
    let gone = devices::get(&world.reader, ORGANIZATION, OLD_DEVICE).await.unwrap().unwrap();
    assert_eq!((gone.connectivity.as_str(), gone.connectivity_reason.as_deref()), ("offline", Some("timeout")));
    assert_eq!(gone.row.decommission_reason.as_deref(), Some("broken"));
    assert_eq!(devices::get(&world.reader, STRANGER, DEVICE).await.unwrap(), None);
}

#[tokio::test]
async fn certificates_of_a_device_show_their_expiry_and_revocation() {
    let world = sampled().await;
    let found = certificates::of_device(&world.reader, ORGANIZATION, DEVICE).await.unwrap();
    assert_eq!((found.len(), found[0].id), (1, CERTIFICATE));
    assert_eq!((found[0].revoked_code.as_deref(), found[0].revoked_at), (Some("key_compromise"), Some(seconds(3))));
    assert_eq!(found[0].status_at(seconds(5)), "revoked");
    assert!(certificates::get(&world.reader, ORGANIZATION, CERTIFICATE).await.unwrap().is_some());
    assert_eq!(certificates::get(&world.reader, STRANGER, CERTIFICATE).await.unwrap(), None);
    let states: Vec<_> = found[0].history.iter().map(|step| (step.state.as_str(), step.at)).collect();
    assert_eq!(states, [("active", seconds(1)), ("renewed", seconds(2)), ("revoked", seconds(3))]);
    let ending = certificates::ending_before(&world.reader, ORGANIZATION, seconds(900_000), Paging::default()).await;
    assert_eq!(ending.unwrap().total, 0, "a revoked certificate does not end any more");
}

#[tokio::test]
async fn certificates_are_listed_by_validity_at_a_time_and_by_status() {
    let world = sampled().await;
    let list = async |organization, valid_at, status: Option<&str>, after| {
        let status = status.map(str::to_owned);
        let filter = CertificateFilter { device_id: Some(DEVICE), status, valid_at };
        certificate_list::list(&world.reader, organization, &filter, seconds(5), after, 10).await.unwrap().len()
    };
    for (valid_at, count) in [(seconds(0), 0), (seconds(1), 1), (seconds(2), 1), (seconds(3), 0)] {
        assert_eq!(list(ORGANIZATION, Some(valid_at), None, None).await, count, "{valid_at}");
    }
    assert_eq!(list(ORGANIZATION, None, Some("revoked"), None).await, 1);
    assert_eq!(list(ORGANIZATION, None, Some("renewed"), None).await, 0);
    assert_eq!(list(ORGANIZATION, None, None, Some(Cursor { created_at: seconds(1), id: CERTIFICATE })).await, 0);
    assert_eq!(list(STRANGER, Some(seconds(2)), None, None).await, 0);
    let (revoked, position) = certificates::revoked(&world.reader, ORGANIZATION, seconds(0)).await.unwrap();
    assert_eq!((revoked.len(), revoked[0].serial_number.as_str(), position > 0), (1, "0a1b", true));
    // An expired certificate leaves the list, but the position of its revocation stays.
    assert_eq!(certificates::revoked(&world.reader, ORGANIZATION, seconds(90_000)).await.unwrap(), (vec![], position));
    assert_eq!(certificates::revoked(&world.reader, STRANGER, seconds(0)).await.unwrap(), (vec![], 0));
    assert_eq!(certificates::unrenewed(&world.reader, seconds(5), 10).await.unwrap(), []);
    assert_eq!(certificates::unannounced(&world.reader, seconds(5), 10).await.unwrap(), []);
}

#[tokio::test]
async fn assets_show_their_place_health_and_devices() {
    let world = sampled().await;
    let under = assets::AssetFilter { parent_id: Some(SITE), ..assets::AssetFilter::default() };
    let page = assets::list(&world.reader, ORGANIZATION, &under, Paging::default()).await.unwrap();
    let pump = &page.items[0];
    assert_eq!((page.total, pump.row.id, pump.parent_id), (1, PUMP, Some(SITE)));
    assert_eq!((pump.health_score_computed_by, pump.health_score_updated_at.is_some()), (Some(6), true));
    assert_eq!(pump.health_score_formula_version, Some(1));
    assert_eq!((pump.health_score, pump.linked_devices_count, pump.active_alarms_count), (Some(41), Some(1), Some(1)));
    assert_eq!(assets::get(&world.reader, ORGANIZATION, PUMP).await.unwrap().as_ref(), Some(pump));
    let spaces = assets::AssetFilter { kind: Some("space".into()), retired: Some(false), ..Default::default() };
    let page = assets::list(&world.reader, ORGANIZATION, &spaces, Paging::default()).await.unwrap();
    assert_eq!(page.items.iter().map(|asset| asset.row.id).collect::<Vec<_>>(), [SITE]);
    let now = health::get(&world.reader, ORGANIZATION, PUMP).await.unwrap().unwrap();
    assert_eq!((now.score, now.previous), (41, Some(40)));
    let past = health::history(&world.reader, ORGANIZATION, PUMP, seconds(0), seconds(999), 10).await.unwrap();
    assert_eq!(past.iter().map(|change| change.score).collect::<Vec<_>>(), [40, 41]);
}

#[tokio::test]
async fn links_are_listed_from_the_device_and_from_the_asset() {
    let world = sampled().await;
    let fed = assets::assets_of_device(&world.reader, ORGANIZATION, DEVICE, false).await.unwrap();
    assert_eq!((fed.len(), fed[0].asset_name.as_deref(), fed[0].link.port), (1, Some("Pump"), Some(1)));
    assert_eq!(fed[0].link.metrics_mapping["device.temp"], "asset.temperature");
    let feeding = assets::devices_of_asset(&world.reader, ORGANIZATION, PUMP, false).await.unwrap();
    assert_eq!((feeding.len(), feeding[0].connectivity.as_str()), (1, "online"));
    assert_eq!((feeding[0].device_name.as_deref(), feeding[0].last_seen), (Some("Boiler sensor"), Some(seconds(11))));
    let unlinked = domain::device_links::DeviceLinksEvent::AssetUnlinked {
        link_id: domain::ids::LinkId(sample::LINK),
        asset_id: domain::ids::AssetId(PUMP),
        valid_until: seconds(100),
    };
    world.event("device_links", DEVICE, 2, &unlinked).await;
    world.catch_up(&["asset_directory"]).await;
    assert!(assets::devices_of_asset(&world.reader, ORGANIZATION, PUMP, false).await.unwrap().is_empty());
    assert_eq!(assets::devices_of_asset(&world.reader, ORGANIZATION, PUMP, true).await.unwrap().len(), 1);
}

#[tokio::test]
async fn types_rules_templates_and_users_are_listed() {
    let world = sampled().await;
    let all = Paging::default;
    let reader = &world.reader;
    assert_eq!(types::device_types(reader, ORGANIZATION, false, all()).await.unwrap().items[0].name, "Sensor");
    assert!(types::device_type(reader, ORGANIZATION, sample::DEVICE_TYPE).await.unwrap().is_some());
    assert_eq!(types::asset_types(reader, ORGANIZATION, false, all()).await.unwrap().items[0].name, "Plant");
    assert!(types::asset_type(reader, STRANGER, sample::ASSET_TYPE).await.unwrap().is_none());
    let active = rules::RuleFilter { is_active: Some(true), entity_id: Some(PUMP), entity_type: Some("asset".into()) };
    let page = rules::rules(reader, ORGANIZATION, &active, all()).await.unwrap();
    assert_eq!((page.total, page.items[0].severity.as_str(), page.items[0].version), (1, "high", 2));
    assert_eq!(page.items[0].condition, sample::condition());
    assert!(rules::rule(reader, ORGANIZATION, RULE).await.unwrap().is_some());
    let idle = rules::RuleFilter { is_active: Some(false), ..Default::default() };
    assert_eq!(rules::rules(reader, ORGANIZATION, &idle, all()).await.unwrap().total, 0);
    let breach = rules::TemplateFilter { trigger_event_type: Some("THRESHOLD_BREACH".into()), ..Default::default() };
    assert_eq!(rules::templates(reader, ORGANIZATION, &breach, all()).await.unwrap().items[0].name, "Repair");
    assert!(rules::template(reader, ORGANIZATION, sample::TEMPLATE).await.unwrap().is_some());
    assert_eq!(tenants::organizations(reader, all()).await.unwrap().items[0].name, "Acme Water");
    assert!(tenants::organization(reader, ORGANIZATION).await.unwrap().is_some());
    let person = tenants::user(reader, ORGANIZATION, USER).await.unwrap().unwrap();
    assert_eq!((person.access_role.as_str(), person.work_roles.as_slice()), ("engineer", &["technician".into()][..]));
    assert_eq!(tenants::users(reader, ORGANIZATION, all()).await.unwrap().total, 1);
    let keys = tenants::api_keys(reader, ORGANIZATION, all()).await.unwrap();
    assert_eq!((keys.total, keys.items[0].revoked_reason.as_deref()), (1, Some("leaked")));
    let key = tenants::api_key(reader, ORGANIZATION, API_KEY).await.unwrap();
    assert_eq!(key.as_ref(), Some(&keys.items[0]));
    assert_eq!(tenants::api_key(reader, STRANGER, API_KEY).await.unwrap(), None);
    assert_eq!(tenants::api_keys(reader, STRANGER, all()).await.unwrap().total, 0);
}

#[tokio::test]
async fn alarms_and_activities_are_listed_by_state() {
    let world = sampled().await;
    let (reader, all) = (&world.reader, Paging::default);
    let seen = alarms::AlarmFilter { active: Some(true), acknowledged: Some(true), ..Default::default() };
    let page = alarms::list(reader, ORGANIZATION, &seen, all()).await.unwrap();
    assert_eq!((page.total, page.items[0].row.state().as_str()), (1, "active_acknowledged"));
    assert_eq!(page.items[0].entity_name.as_deref(), Some("Pump"));
    let unseen = alarms::AlarmFilter { acknowledged: Some(false), ..Default::default() };
    assert_eq!(alarms::list(reader, ORGANIZATION, &unseen, all()).await.unwrap().total, 0);
    let alarm = alarms::get(reader, ORGANIZATION, ALARM).await.unwrap().unwrap();
    assert_eq!(alarm.row.acknowledged_by, Some(format!("user:{USER}")));
    let counts = alarms::counts(reader, ORGANIZATION).await.unwrap();
    assert_eq!(counts, [alarms::AlarmCounts { severity: "high".into(), active: 1, unacknowledged: 0 }]);
    let begun = activities::ActivityFilter { status: Some("in_progress".into()), ..Default::default() };
    let page = activities::list(reader, ORGANIZATION, &begun, all()).await.unwrap();
    let activity = &page.items[0];
    assert_eq!((page.total, activity.row.id, activity.target_name.as_deref()), (1, ACTIVITY, Some("Pump")));
    assert!(activity.row.checklist[0].done);
    assert_eq!(activity.row.comments[0].text, "On my way");
    assert_eq!(activities::get(reader, STRANGER, ACTIVITY).await.unwrap(), None);
}

#[tokio::test]
async fn system_events_are_listed_by_type_and_entity() {
    let world = sampled().await;
    let list = async |filter: events::SystemEventFilter| {
        let page = events::list(&world.reader, ORGANIZATION, false, &filter, Paging::default()).await.unwrap();
        page.items.into_iter().map(|event| event.event_type).collect::<Vec<_>>()
    };
    let any = events::SystemEventFilter::default;
    assert_eq!(list(any()).await, ["THRESHOLD_BREACH", "CONNECTION_REFUSED", "CERTIFICATE_REVOKED"]);
    let breach = events::SystemEventFilter { event_type: Some("THRESHOLD_BREACH".into()), ..any() };
    assert_eq!(list(breach).await.len(), 1);
    let of_device = events::SystemEventFilter { entity_id: Some(DEVICE), ..any() };
    assert_eq!(list(of_device).await, ["CONNECTION_REFUSED"]);
    let later = events::SystemEventFilter { from: Some(seconds(4)), until: Some(seconds(20)), ..any() };
    assert_eq!(list(later).await, ["CONNECTION_REFUSED"]);
    let one = events::get(&world.reader, ORGANIZATION, sample::BREACH_EVENT).await.unwrap().unwrap();
    assert_eq!((one.severity.as_str(), &one.payload["value"]), ("high", &json!(81.5)));
}

#[tokio::test]
async fn dead_letters_are_listed_with_the_decision() {
    let world = sampled().await;
    let list = async |unassigned: bool, filter: letters::LetterFilter| {
        let page = letters::list(&world.reader, ORGANIZATION, unassigned, &filter, Paging::default()).await.unwrap();
        let mut items: Vec<_> = page.items.into_iter().map(|letter| (letter.row.reason, letter.status)).collect();
        items.sort();
        items
    };
    let row = |reason: &str, status: &str| (reason.to_owned(), status.to_owned());
    let any = letters::LetterFilter::default;
    let both = [row("malformed_json", "open"), row("unknown_metric", "discarded")];
    assert_eq!(list(false, any()).await, both);
    assert_eq!(list(true, any()).await.len(), 3);
    let open = letters::LetterFilter { status: Some("open".into()), device: Some(DEVICE), ..any() };
    assert_eq!(list(true, open).await, both[..1]);
    let of_reader = letters::LetterFilter { stage: Some("rule_book".into()), ..any() };
    assert_eq!(list(true, of_reader).await, [row("unreadable", "open")]);
    let page = letters::list(&world.reader, ORGANIZATION, true, &any(), Paging::default()).await.unwrap();
    for letter in page.items {
        let id = letter.row.id;
        assert_eq!(letters::get(&world.reader, ORGANIZATION, true, id).await.unwrap(), Some(letter.clone()));
        assert_eq!(letters::get(&world.reader, STRANGER, false, id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_history_lists_what_each_event_changed() {
    let world = sampled().await;
    let mut entries = time_travel::history(&world.reader, ORGANIZATION, "device", DEVICE).await.unwrap();
    let names: Vec<&str> = entries.iter().map(|entry| entry.row.event_type.as_str()).collect();
    assert_eq!(names, ["DeviceRenamed", "DeviceRegistered"]);
    let change = entries.remove(0).changes.remove(0);
    assert_eq!(
        (change.field.as_str(), &change.before, &change.after),
        ("name", &Some(json!("Sensor A")), &json!("Boiler sensor"))
    );
    let linked = time_travel::history(&world.reader, ORGANIZATION, "device_links", DEVICE).await.unwrap();
    assert!(linked[0].changes.iter().any(|change| change.field == "assetId" && change.before.is_none()));
    assert_eq!(time_travel::history(&world.reader, STRANGER, "device", DEVICE).await.unwrap(), []);
    let filter = audit::AuditFilter { event_type: Some("AlarmRaised".into()), ..Default::default() };
    let raised = audit::list(&world.reader, ORGANIZATION, &filter, None, 50).await.unwrap();
    assert_eq!((raised.len(), raised[0].stream.as_str()), (1, "ES_ALARM"));
    let mine = audit::AuditFilter { actor: Some(format!("user:{USER}")), ..Default::default() };
    let all = audit::list(&world.reader, ORGANIZATION, &mine, None, 50).await.unwrap();
    assert_eq!(all.len().to_string(), world.sql("SELECT count(*) FROM audit_log").await[0]);
}

#[tokio::test]
async fn latest_values_have_quality_time_and_connectivity() {
    let world = sampled().await;
    let now = latest::get(&world.reader, DEVICE).await.unwrap();
    let temp = &now.metrics["temp"];
    assert_eq!((&temp.value, temp.measured_at, temp.quality.as_str()), (&json!(21.0), seconds(10), "uncertain"));
    assert_eq!(now.metrics["mode"].value, json!("auto"));
    assert_eq!((now.connectivity.as_str(), now.last_seen), ("online", Some(seconds(11))));
    let both = latest::many(&world.reader, &[STRANGER, PUMP]).await.unwrap();
    assert!(both[0].metrics.is_empty() && both[0].connectivity == "unknown");
    assert_eq!(both[1].metrics["temperature"].value, json!(21.0));
}

#[tokio::test]
async fn catalogue_entries_and_their_dependents_are_found() {
    use domain::catalogue::activity_type::ActivityTypeDefinition;
    use domain::catalogue::asset_profile::ProfileDefinition;
    use domain::catalogue::protocol_converter::ConverterDefinition;
    use projections::catalogue::read as catalogue;
    use projections::dependents::{self, Referenced};
    let world = sampled().await;
    let (reader, all) = (&world.reader, Paging::default());
    let kinds = catalogue::list::<ActivityTypeDefinition>(reader, ORGANIZATION, false, all.clone()).await.unwrap();
    assert_eq!((kinds.total, kinds.items[0].name.as_str()), (1, "Inspection"));
    let profiles = |retired| catalogue::list::<ProfileDefinition>(reader, ORGANIZATION, retired, Paging::default());
    assert_eq!((profiles(false).await.unwrap().total, profiles(true).await.unwrap().total), (0, 1));
    let converter = catalogue::get::<ConverterDefinition>(reader, ORGANIZATION, sample::CONVERTER).await.unwrap();
    assert!(converter.unwrap().definition.is_active);
    assert!(catalogue::get::<ConverterDefinition>(reader, STRANGER, sample::CONVERTER).await.unwrap().is_none());
    assert_eq!(catalogue::list::<ActivityTypeDefinition>(reader, STRANGER, true, all).await.unwrap().total, 0);
    for (used, id, expected) in [
        (Referenced::DeviceType, sample::DEVICE_TYPE, vec!["device Boiler sensor"]),
        (Referenced::AssetType, sample::ASSET_TYPE, vec!["asset Pump", "asset Site"]),
        (Referenced::ProtocolConverter, sample::CONVERTER, vec!["device_type Sensor"]),
        (Referenced::ActivityType, sample::ACTIVITY_TYPE, vec![]),
        (Referenced::ActivityTemplate, sample::TEMPLATE, vec![]),
        (Referenced::Asset, PUMP, vec!["device Boiler sensor", "rule Hot"]),
        (Referenced::Asset, SITE, vec!["asset Pump"]),
    ] {
        let (count, users) = dependents::find(reader, ORGANIZATION, used, id).await.unwrap();
        let named: Vec<_> = users.iter().map(|user| format!("{} {}", user.kind, user.name)).collect();
        assert_eq!(
            (count, named.as_slice()),
            (expected.len() as i64, &expected.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..]),
            "{used:?}"
        );
        assert_eq!(dependents::find(reader, STRANGER, used, id).await.unwrap().0, 0);
    }
}
