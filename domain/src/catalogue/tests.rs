//! Given/when/then tests of the entries' life cycle and of the validation of each kind.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use super::activity_type::{ActivityTypeDefinition, Refusal as TypeRefusal};
use super::asset_profile::{HealthThresholds, ProfileDefinition, Refusal as ProfileRefusal};
use super::*;
use crate::given_when_then::{given, given_no_events};
use crate::ids::AssetTypeId;

fn kind(name: &str) -> ActivityTypeDefinition {
    ActivityTypeDefinition { name: name.into(), description: None, icon: None }
}

fn defined(name: &str) -> ActivityTypeEvent {
    ActivityTypeEvent::ActivityTypeDefined { definition: kind(name) }
}

#[test]
fn an_entry_is_defined_once_revised_as_a_whole_and_retired_permanently() {
    use EntryCommand as C;
    let revise = |name: &str| C::Revise { definition: kind(name) };
    let revised = |name: &str| ActivityTypeEvent::ActivityTypeRevised { definition: kind(name) };
    let retired = || ActivityTypeEvent::ActivityTypeRetired {};
    let none = given_no_events::<ActivityType>();
    none.when(C::Define { definition: kind(" Repair ") }).then([defined("Repair")]);
    none.when(revise("Repair")).then_refused(EntryError::NotFound);
    none.when(C::Retire {}).then_refused(EntryError::NotFound);
    assert!(!none.state().in_use());
    let one = given::<ActivityType>([defined("Repair")]);
    one.when(C::Define { definition: kind("Repair") }).then_refused(EntryError::AlreadyExists);
    one.when(revise("Inspect")).then([revised("Inspect")]);
    one.when(revise("Repair")).then_no_events();
    one.when(revise(" ")).then_refused(EntryError::Invalid(TypeRefusal::InvalidName));
    one.when(C::Retire {}).then([retired()]);
    assert!(one.state().in_use());
    given::<ActivityType>([defined("Repair"), revised("Inspect")]).when(revise("Inspect")).then_no_events();
    let over = given::<ActivityType>([defined("Repair"), retired()]);
    over.when(C::Retire {}).then_no_events();
    over.when(revise("Repair")).then_refused(EntryError::Retired);
    assert!(!over.state().in_use());
    let messages = [EntryError::NotFound, EntryError::AlreadyExists, EntryError::Retired]
        .map(|e: EntryError<ActivityTypeDefinition>| e.to_string());
    assert_eq!(messages, ["no such activity type", "the activity type already exists", "the activity type is retired"]);
}

fn profile() -> ProfileDefinition {
    ProfileDefinition {
        name: "Pump".into(),
        description: None,
        asset_type_id: AssetTypeId(Uuid::from_u128(1)),
        default_attributes: json!({}),
        health_thresholds: HealthThresholds::default(),
        telemetry_mappings: BTreeMap::new(),
        icon: None,
    }
}

#[test]
fn an_invalid_profile_is_rejected() {
    let thresholds = |critical, warning, good| ProfileDefinition {
        health_thresholds: HealthThresholds { critical, warning, good },
        ..profile()
    };
    let mapped = BTreeMap::from([("voltage".to_owned(), "asset.power".to_owned())]);
    let invalid = ProfileRefusal::InvalidMapping { from: "voltage".into(), to: "asset.power".into() };
    let table = [
        (ProfileDefinition { name: " ".into(), ..profile() }, ProfileRefusal::InvalidName),
        (ProfileDefinition { default_attributes: json!([]), ..profile() }, ProfileRefusal::InvalidAttributes),
        (thresholds(60, 60, 80), ProfileRefusal::InvalidThresholds),
        (thresholds(30, 90, 80), ProfileRefusal::InvalidThresholds),
        (thresholds(30, 60, 101), ProfileRefusal::InvalidThresholds),
        (ProfileDefinition { telemetry_mappings: mapped, ..profile() }, invalid),
    ];
    for (definition, refusal) in table {
        let define = EntryCommand::Define { definition };
        given_no_events::<AssetProfile>().when(define).then_refused(EntryError::Invalid(refusal));
    }
    assert_eq!(profile().checked(), Ok(profile()));
}

#[test]
fn a_health_score_is_rated_by_the_thresholds() {
    let ratings = [0, 29, 30, 59, 60, 79, 80, 100].map(|score| HealthThresholds::default().status(score));
    assert_eq!(ratings, ["critical", "critical", "warning", "warning", "fair", "fair", "good", "good"]);
}

#[test]
fn a_channel_without_valid_recipients_is_rejected() {
    use super::notification_channel::{ChannelDefinition, Medium, Refusal};
    let channel = |medium| ChannelDefinition {
        name: "C".into(),
        description: None,
        medium,
        minimum_severity: crate::alarming::Severity::High,
        is_active: true,
    };
    let roles = |roles: &[&str]| roles.iter().map(|role| (*role).to_owned()).collect::<Vec<_>>();
    let email = |named: &[&str]| channel(Medium::Email { work_roles: roles(named) });
    assert_eq!(email(&[" technician", "technician "]).checked(), Ok(email(&["technician"])));
    let webhook = |url: &str| channel(Medium::Webhook { url: url.into() });
    assert_eq!(webhook("https://a.example/x").checked(), Ok(webhook("https://a.example/x")));
    let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    let table = [
        (ChannelDefinition { name: " ".into(), ..email(&["a"]) }, Refusal::InvalidName),
        (webhook("ftp://a.example"), Refusal::InvalidUrl),
        (webhook("https://"), Refusal::InvalidUrl),
        (email(&[]), Refusal::InvalidWorkRoles),
        (email(&["a", " "]), Refusal::InvalidWorkRoles),
        (email(&["a".repeat(61).as_str()]), Refusal::InvalidWorkRoles),
        (channel(Medium::Push { work_roles: many }), Refusal::InvalidWorkRoles),
    ];
    for (definition, refusal) in table {
        let define = EntryCommand::Define { definition };
        given_no_events::<NotificationChannel>().when(define).then_refused(EntryError::Invalid(refusal));
    }
}
