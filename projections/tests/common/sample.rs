//! A small sample organisation with entities of every kind, so that no table of a read model stays empty.

use std::collections::BTreeMap;

use domain::EncryptedText;
use domain::activity::{ActivityEvent, WorkOrder};
use domain::activity_template::{ActivityTemplateEvent, ChecklistItem, TemplateDefinition, TriggerEventType};
use domain::alarm::{AlarmEvent, Breach};
use domain::alarming::{Condition, Operator, Severity, Suppression};
use domain::api_key::ApiKeyEvent;
use domain::asset::{AssetEvent, Location};
use domain::asset_tree::AssetTreeEvent;
use domain::asset_type::AssetTypeEvent;
use domain::catalogue::activity_type::ActivityTypeDefinition;
use domain::catalogue::asset_profile::{HealthThresholds, ProfileDefinition};
use domain::catalogue::notification_channel::ChannelDefinition;
use domain::catalogue::protocol_converter::ConverterDefinition;
use domain::catalogue::{ActivityTypeEvent, AssetProfileEvent, NotificationChannelEvent, ProtocolConverterEvent};
use domain::certificate::{CertificateEvent, RevocationCode};
use domain::dead_letter::{SettledLetterEvent, id_of};
use domain::device::DeviceEvent;
use domain::device_links::{DeviceLinksEvent, LinkRole};
use domain::device_type::{DeviceTypeEvent, UnknownMetrics};
use domain::ids::{
    AlarmId, AssetId, AssetProfileId, AssetTypeId, CertificateId, DeviceId, DeviceTypeId, LinkId, OrganizationId,
    ProtocolConverterId, RuleId, SessionId, UserId,
};
use domain::organization::OrganizationEvent;
use domain::rule::{EntityKind, RuleAction, RuleDefinition, RuleEvent};
use domain::telemetry::{
    AssetHealthChanged, AssetPack, AssetReading, MetricValue, PresenceFact, PresenceKind, ScoredBy, ThresholdEvent,
    Transition, encode_pack,
};
use domain::user::{AccessRole, UserEvent};
use eventlog::Stream;
use serde_json::json;
use uuid::Uuid;

use super::{ORGANIZATION, USER, World, message, metric_sets, origin, reading, seconds, t0, with_others};

pub const DEVICE_TYPE: Uuid = Uuid::from_u128(0x10);
pub const DEVICE: Uuid = Uuid::from_u128(0x11);
pub const OLD_DEVICE: Uuid = Uuid::from_u128(0x12);
pub const CERTIFICATE: Uuid = Uuid::from_u128(0x13);
pub const ASSET_TYPE: Uuid = Uuid::from_u128(0x20);
pub const ACTIVITY_TYPE: Uuid = Uuid::from_u128(0x24);
pub const PROFILE: Uuid = Uuid::from_u128(0x25);
pub const CHANNEL: Uuid = Uuid::from_u128(0x27);
pub const CONVERTER: Uuid = Uuid::from_u128(0x26);
pub const SITE: Uuid = Uuid::from_u128(0x21);
pub const PUMP: Uuid = Uuid::from_u128(0x22);
pub const LINK: Uuid = Uuid::from_u128(0x23);
pub const RULE: Uuid = Uuid::from_u128(0x30);
pub const TEMPLATE: Uuid = Uuid::from_u128(0x31);
pub const ALARM: Uuid = Uuid::from_u128(0x32);
pub const ACTIVITY: Uuid = Uuid::from_u128(0x33);
pub const BREACH_EVENT: Uuid = Uuid::from_u128(0x34);
pub const API_KEY: Uuid = Uuid::from_u128(0x40);

/// Stores the whole sample.
pub async fn store(world: &World) {
    people(world).await;
    devices(world).await;
    assets(world).await;
    work(world).await;
    letters(world).await;
    passing(world).await;
}

/// Stores three dead letters: a device's message that was discarded, an open one, and one from a consumer of the log.
async fn letters(world: &World) {
    let letter = |reason: &str, payload: &str| {
        json!({"stage": "normalizer", "reason": reason, "detail": "so", "subject": "telemetry.raw.v1.0",
            "organization": ORGANIZATION, "device": DEVICE, "received_at": seconds(5), "payload": payload})
    };
    let packed = json!([letter("unknown_metric", "{}"), letter("malformed_json", "{")]).to_string();
    let at = world.publish(Stream::TelemetryDlq, "normalizer", packed).await;
    let discarded = SettledLetterEvent::DeadLetterDiscarded { comment: Some("a test bench".into()) };
    world.event("dead_letter", id_of(at, 0), 1, &discarded).await;
    let buried = json!({"stage": "rule_book", "reason": "not JSON", "stream": "ES", "subject": "es.x", "sequence": 1,
        "published_at": seconds(6), "headers": {}, "payload_bytes": 1, "payload_encoding": "text", "payload": "{"});
    world.publish(Stream::TelemetryDlq, "rule_book", buried.to_string()).await;
}

/// Stores what stages and edges publish, which may publish the same values twice.
pub async fn passing(world: &World) {
    presence(world, &presence_facts()).await;
    telemetry(world).await;
    threshold(world).await;
}

async fn people(world: &World) {
    let founded = OrganizationEvent::OrganizationFounded { name: "Acme".into() };
    let renamed = OrganizationEvent::OrganizationRenamed { name: "Acme Water".into() };
    world.events("organization", ORGANIZATION, &[founded, renamed]).await;
    let registered = UserEvent::UserRegistered {
        email: EncryptedText("sealed address".into()),
        name: EncryptedText("sealed name".into()),
        access_role: AccessRole::Engineer,
        work_roles: vec!["technician".into()],
    };
    world.events("user", USER, &[registered, UserEvent::UserPasswordSet {}]).await;
    let created = ApiKeyEvent::ApiKeyCreated {
        name: "Dashboard".into(),
        access_role: AccessRole::Viewer,
        digest: "ab".into(),
        expires_at: seconds(86_400),
    };
    let revoked = ApiKeyEvent::ApiKeyRevoked { reason: "leaked".into() };
    world.events("api_key", API_KEY, &[created, revoked]).await;
}

pub fn device_registered(name: &str, serial_number: &str) -> DeviceEvent {
    DeviceEvent::DeviceRegistered {
        name: name.into(),
        description: Some("In the\u{0} cellar".into()),
        serial_number: serial_number.into(),
        device_type_id: DeviceTypeId(DEVICE_TYPE),
        custom_attributes: json!({"floor": 1, "ratio": 0.1}),
    }
}

async fn devices(world: &World) {
    let defined = DeviceTypeEvent::DeviceTypeDefined {
        name: "Sensor".into(),
        description: None,
        metrics: Vec::new(),
        unknown_metrics: UnknownMetrics::Keep,
    };
    world.events("device_type", DEVICE_TYPE, &[defined]).await;
    let renamed = DeviceEvent::DeviceRenamed { name: "Boiler sensor".into() };
    world.events("device", DEVICE, &[device_registered("Sensor A", "SN-1"), renamed]).await;
    let gone = DeviceEvent::DeviceDecommissioned { reason: "broken".into() };
    world.events("device", OLD_DEVICE, &[device_registered("Sensor B", "SN-2"), gone]).await;
    let issued = CertificateEvent::CertificateIssued {
        device_id: DeviceId(DEVICE),
        serial_number: "0a1b".into(),
        certificate_pem: "-----BEGIN CERTIFICATE-----".into(),
        fingerprint_sha256: "ff".into(),
        not_before: t0(),
        not_after: seconds(86_400),
    };
    let revoked = CertificateEvent::CertificateRevoked { reason: "lost".into(), code: RevocationCode::KeyCompromise };
    let renewed = CertificateEvent::CertificateRenewed {
        successor: CertificateId(Uuid::from_u128(0x14)),
        overlap_ends_at: Some(seconds(600)),
    };
    world.events("certificate", CERTIFICATE, &[issued, renewed, revoked]).await;
}

async fn assets(world: &World) {
    let defined = AssetTypeEvent::AssetTypeDefined {
        name: "Plant".into(),
        description: None,
        icon: None,
        derived_metrics: Vec::new(),
        combination: domain::asset_type::Combination::default(),
        health_model: None,
    };
    world.events("asset_type", ASSET_TYPE, &[defined]).await;
    catalogue(world).await;
    let registered = |name: &str, kind| AssetEvent::AssetRegistered {
        name: name.into(),
        description: None,
        asset_type_id: AssetTypeId(ASSET_TYPE),
        kind,
        location: Some(Location { latitude: 48.1, longitude: 11.6 }),
        custom_attributes: json!({}),
    };
    world.events("asset", SITE, &[registered("Site", EntityKind::Space)]).await;
    let applied = profile().applied(AssetProfileId(PROFILE));
    let pump = [registered("Pump", EntityKind::Asset), AssetEvent::AssetProfileApplied { applied }];
    world.events("asset", PUMP, &pump).await;
    let placed = AssetTreeEvent::AssetPlaced { asset: AssetId(PUMP), parent: AssetId(SITE) };
    world.events("asset_tree", ORGANIZATION, &[placed]).await;
    let linked = DeviceLinksEvent::AssetLinked {
        link_id: LinkId(LINK),
        asset_id: AssetId(PUMP),
        port: Some(1),
        role: LinkRole::Primary,
        valid_from: t0(),
        valid_until: None,
        metrics_mapping: BTreeMap::from([("device.temp".into(), "asset.temperature".into())]),
    };
    world.events("device_links", DEVICE, &[linked]).await;
}

fn profile() -> ProfileDefinition {
    ProfileDefinition {
        name: "Pump 7".into(),
        description: None,
        asset_type_id: AssetTypeId(ASSET_TYPE),
        default_attributes: json!({"maker": "Acme"}),
        health_thresholds: HealthThresholds::default(),
        telemetry_mappings: BTreeMap::from([("device.t".into(), "asset.temperature".into())]),
        icon: Some("pump".into()),
    }
}

async fn catalogue(world: &World) {
    let definition = ActivityTypeDefinition { name: "Inspection".into(), description: None, icon: None };
    world.events("activity_type", ACTIVITY_TYPE, &[ActivityTypeEvent::ActivityTypeDefined { definition }]).await;
    let defined = AssetProfileEvent::AssetProfileDefined { definition: profile() };
    world.events("asset_profile", PROFILE, &[defined, AssetProfileEvent::AssetProfileRetired {}]).await;
    let definition: ConverterDefinition = serde_json::from_value(json!({"name": "Meter", "source_protocol": "modbus",
        "rules": [{"target": "t", "source": {"path": "/t"}}], "is_active": true}))
    .unwrap();
    let defined = ProtocolConverterEvent::ProtocolConverterDefined { definition };
    world.events("protocol_converter", CONVERTER, &[defined]).await;
    let definition: ChannelDefinition = serde_json::from_value(json!({"name": "Pager", "minimum_severity": "high",
        "medium": {"type": "webhook", "url": "https://pager.example"}, "is_active": true}))
    .unwrap();
    let defined = NotificationChannelEvent::NotificationChannelDefined { definition };
    world.events("notification_channel", CHANNEL, &[defined]).await;
    let assigned = DeviceTypeEvent::DeviceTypeConverterAssigned { converter_id: Some(ProtocolConverterId(CONVERTER)) };
    world.event("device_type", DEVICE_TYPE, 2, &assigned).await;
}

pub fn condition() -> Condition {
    Condition::comparing(Operator::Above, 80.0)
}

async fn work(world: &World) {
    let definition = RuleDefinition {
        name: "Hot".into(),
        description: None,
        entity_type: EntityKind::Asset,
        entity_id: Some(PUMP),
        type_id: None,
        metric_key: "temperature".into(),
        condition: condition(),
        severity: Severity::Medium,
        action: RuleAction::CreateActivity { template_id: None },
        cooldown_seconds: 300,
        is_active: true,
    };
    let severe = RuleEvent::RuleSeverityChanged { severity: Severity::High };
    world.events("rule", RULE, &[RuleEvent::RuleDefined { definition }, severe]).await;
    let definition = TemplateDefinition {
        name: "Repair".into(),
        description: None,
        activity_type_id: None,
        trigger_event_type: TriggerEventType::ThresholdBreach,
        default_priority: Severity::High,
        default_assigned_role: Some("technician".into()),
        default_due_hours: Some(2),
        checklist: checklist(),
        is_active: true,
    };
    world.events("activity_template", TEMPLATE, &[ActivityTemplateEvent::ActivityTemplateDefined { definition }]).await;
    alarm(world).await;
    activity(world).await;
}

fn checklist() -> Vec<ChecklistItem> {
    vec![ChecklistItem { item: "Look".into(), required: true }]
}

async fn alarm(world: &World) {
    let breach = Breach {
        rule_id: RuleId(RULE),
        rule_name: "Hot".into(),
        entity_type: EntityKind::Asset,
        entity_id: PUMP,
        metric_key: "temperature".into(),
        condition: Box::new(condition()),
        severity: Severity::High,
        value: 81.5,
        started_at: seconds(10),
        raised_at: seconds(20),
        episode: 1,
    };
    let acknowledged = AlarmEvent::AlarmAcknowledged { comment: Some("seen".into()) };
    let until = seconds(9_000);
    let events = [
        AlarmEvent::AlarmRaised { breach },
        AlarmEvent::AlarmSuppressed { suppression: Suppression::Shelved { until } },
        AlarmEvent::AlarmUnsuppressed {},
        AlarmEvent::AlarmRepeated { repeats: 1, value: 82.0, at: seconds(30) },
        AlarmEvent::AlarmAssigned { assignee: Some(UserId(USER)) },
        AlarmEvent::AlarmCommented { text: "A loose wire".into() },
        acknowledged,
    ];
    world.events("alarm", ALARM, &events).await;
}

async fn activity(world: &World) {
    let order = WorkOrder {
        template_id: None,
        name: "Repair".into(),
        description: None,
        target_type: EntityKind::Asset,
        target_id: PUMP,
        priority: Severity::High,
        assigned_role: Some("technician".into()),
        assigned_user_id: None,
        due_at: Some(seconds(7200)),
        checklist: checklist(),
        alarm_id: Some(AlarmId(ALARM)),
    };
    let events = [
        ActivityEvent::ActivityCreated { order },
        ActivityEvent::ActivityStarted {},
        ActivityEvent::ActivityItemChecked { index: 0, done: true },
        ActivityEvent::ActivityOverdue { due_at: seconds(7200) },
        ActivityEvent::ActivityCommented { text: "On my way".into() },
    ];
    world.events("activity", ACTIVITY, &events).await;
    message::store(world).await;
}

pub fn presence_fact(kind: PresenceKind, device: Uuid, session: u128, at: i64) -> PresenceFact {
    PresenceFact {
        kind,
        organization: Some(OrganizationId(ORGANIZATION)),
        device: Some(DeviceId(device)),
        session: Some(SessionId(Uuid::from_u128(session))),
        edge: "edge-1".into(),
        at: seconds(at),
        reason: None,
    }
}

fn presence_facts() -> Vec<PresenceFact> {
    vec![
        presence_fact(PresenceKind::Connected, DEVICE, 1, 1),
        presence_fact(PresenceKind::Connected, OLD_DEVICE, 2, 2),
        presence_fact(PresenceKind::Silent, OLD_DEVICE, 2, 3),
        PresenceFact { reason: Some("revoked".into()), ..presence_fact(PresenceKind::ConnectionRefused, DEVICE, 3, 4) },
    ]
}

pub async fn presence(world: &World, facts: &[PresenceFact]) -> u64 {
    world.publish(Stream::Presence, "1", serde_json::to_vec(facts).unwrap()).await
}

async fn telemetry(world: &World) {
    let first = reading(DEVICE, origin(1, 0), seconds(0), &[20.0, 1.5]);
    let second = reading(DEVICE, origin(1, 1), seconds(10), &[21.0, 1.6]);
    let second = with_others(second, "mode", MetricValue::Text("auto".into()), "temp");
    world.readings(1, &[&["temp", "pressure"]], vec![first, second]).await;
    let late = reading(DEVICE, origin(2, 0), seconds(5), &[20.5]);
    world.readings(1, &[&["temp"]], vec![late]).await;
    let value = AssetReading {
        origin: origin(1, 0),
        organization: OrganizationId(ORGANIZATION),
        asset: AssetId(PUMP),
        source_devices: vec![DeviceId(DEVICE)],
        measured_at: seconds(10),
        received_at: seconds(11),
        set: 0,
        numbers: vec![21.0],
        others: Vec::new(),
        flaws: vec![("power".into(), "voltage is too old".into())],
        doubts: Vec::new(),
    };
    let values = AssetPack { sets: metric_sets(&[&["temperature"]]), readings: vec![value], ..AssetPack::default() };
    world.publish(Stream::TelemetryAsset, "2.1", encode_pack(&values).unwrap()).await;
    let health = |sequence, score, previous| AssetHealthChanged {
        origin: origin(sequence, 0),
        organization: OrganizationId(ORGANIZATION),
        asset: AssetId(PUMP),
        score,
        previous,
        cause: Some("temperature".into()),
        measured_at: seconds(10 + i64::from(score)),
        // The first change is of an older program version.
        scored_by: previous.map(|_| ScoredBy { formula: 1, model: 6 }),
    };
    let pack = AssetPack {
        es_position: 7,
        health: vec![health(1, 40, None), health(2, 41, Some(40))],
        ..AssetPack::default()
    };
    world.publish(Stream::TelemetryAsset, "2.16", encode_pack(&pack).unwrap()).await;
}

async fn threshold(world: &World) {
    let event = ThresholdEvent {
        event_id: BREACH_EVENT,
        origin: origin(1, 0),
        es_position: 1,
        transition: Transition::ThresholdBreach,
        organization: OrganizationId(ORGANIZATION),
        rule_id: Some(RuleId(RULE)),
        rule_name: Some("Hot".into()),
        alarm_id: Some(AlarmId(ALARM)),
        entity_type: EntityKind::Asset,
        entity_id: PUMP,
        severity: Severity::High,
        metric_key: Some("temperature".into()),
        value: Some(81.5),
        reason: None,
        action: None,
        measured_at: seconds(20),
        received_at: seconds(21),
    };
    world.publish(Stream::EventsThreshold, "2.17", serde_json::to_vec(&[event]).unwrap()).await;
}
