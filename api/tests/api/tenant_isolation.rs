//! Tenant isolation: no operation on a resource of another organisation finds it.

use serde_json::{Value, json};

use crate::access::{SINGLE_RESOURCE_READS, WRITES};
use domain::catalogue::notification_channel::Medium;

use crate::activities::raise_alarm;
use crate::notifications::request_notification;
use crate::support::{Tenant, Text, eventually, now, tenant};

/// Creates one resource of each kind; returns their ids by the first segment of their path.
fn one_of_each(tenant: &Tenant) -> Vec<(&'static str, String)> {
    let create = |path: &str, body: Value, name: &str| {
        tenant.admin.post(&format!("/api/v1{path}"), body).created()[name]["id"].text()
    };
    let device = tenant.device(&format!("S-{}", tenant.organization));
    let asset = tenant.asset("Secret");
    let certificates = tenant.admin.get(&format!("/api/v1/devices/{device}/certificates")).ok();
    let link = create(&format!("/devices/{device}/assets/{asset}/link"), json!({}), "link");
    let rule = json!({"name": "Hot", "entityType": "asset", "metricKey": "t", "severity": "low",
        "condition": {"operator": ">", "value": 1}});
    let template = create("/activity-templates", json!({"name": "Inspect"}), "template");
    let activity = create(&format!("/activities/from-template/{template}"), json!({"targetId": asset}), "activity");
    let alarm = raise_alarm(tenant, &asset);
    let requested = request_notification(tenant, Medium::Push { work_roles: vec!["nobody".to_owned()] });
    eventually("the notification in the read model", || (tenant.admin.get(&requested).status == 200).then_some(()));
    let notification = requested.rsplit('/').next().unwrap().to_owned();
    eventually("the alarm in the read model", || {
        (tenant.admin.get(&format!("/api/v1/alarms/{alarm}")).status == 200).then_some(())
    });
    let person = json!({"email": format!("{}@isolation.example", tenant.organization), "name": "Ada",
        "password": "long enough", "role": "viewer"});
    let kind = create("/asset-types", json!({"name": "Pump"}), "assetType");
    let rules = json!([{"target": "t", "path": "/t"}]);
    let converter = json!({"name": "C", "sourceProtocol": "raw", "rules": rules});
    vec![
        ("device-types", tenant.device_type()),
        ("asset-types", kind.clone()),
        ("activity-types", create("/activity-types", json!({"name": "Inspection"}), "activityType")),
        ("asset-profiles", create("/asset-profiles", json!({"name": "P", "assetTypeId": kind}), "assetProfile")),
        ("notification-channels", create("/notification-channels", channel(), "notificationChannel")),
        ("protocol-converters", create("/protocol-converters", converter, "protocolConverter")),
        ("rules", create("/rules", rule, "rule")),
        ("users", create("/users", person, "user")),
        ("api-keys", create("/api-keys", json!({"name": "Key", "role": "viewer"}), "apiKey")),
        ("activity-templates", template),
        ("activities", activity),
        ("dead-letters", crate::dead_letters::publish_dead_letter(tenant)),
        ("alarms", alarm),
        ("notifications", notification),
        ("certificates", certificates["certificates"][0]["id"].text()),
        ("links", link),
        ("devices", device),
        ("assets", asset),
    ]
}

/// Returns the path with the ids of these resources filled in.
fn fill_path(path: &str, resources: &[(&str, String)]) -> String {
    let id = |noun: &str| resources.iter().find(|(known, _)| *known == noun).map(|(_, id)| id.as_str()).expect(noun);
    let parts: Vec<&str> = path.split('/').collect();
    let filled = parts.iter().map(|part| match *part {
        "{index}" => "0",
        "{deviceId}" => id("devices"),
        "{assetId}" => id("assets"),
        "{templateId}" => id("activity-templates"),
        "{id}" if path.contains("/links/") => id("links"),
        part if part.starts_with('{') => id(parts[1]),
        part => part,
    });
    format!("/api/v1{}", filled.collect::<Vec<_>>().join("/"))
}

fn channel() -> Value {
    json!({"name": "C", "medium": {"type": "push", "workRoles": ["technician"]}})
}

/// Returns a valid body for the operation.
fn body(method: &str, path: &str, own_asset: &str) -> Value {
    match path.rsplit('/').next().unwrap() {
        "suspend" | "cancel" | "decommission" | "revoke" => json!({"reason": "x"}),
        "comments" => json!({"text": "x"}),
        "test" => json!({"json": {}}),
        "converter" => json!({}),
        "replace" => json!({"serialNumber": "SN-X", "reason": "x"}),
        "dismiss" | "out-of-service" => json!({"reason": "x"}),
        "shelve" => json!({"until": now() + chrono::TimeDelta::hours(1), "reason": "x"}),
        "assign" if path.contains("/alarms/") => json!({}),
        "assign" => json!({"assignedRole": "technician"}),
        "{templateId}" => json!({"targetId": own_asset}),
        "{id}" if path.contains("-profiles/") => json!({"name": "Mine now", "assetTypeId": own_asset}),
        "{id}" if path.contains("-channels/") => channel(),
        "{id}" if path.contains("-converters/") => {
            json!({"name": "C", "sourceProtocol": "raw", "rules": [{"target": "t", "path": "/t"}]})
        }
        "{id}" if path.contains("/links/") => json!({"validFrom": "2026-01-01T00:00:00Z", "reason": "x"}),
        "{id}" if method == "PUT" => json!({"name": "Mine now"}),
        _ => json!({}),
    }
}

#[test]
fn operations_on_resources_of_another_organisation_answer_404() {
    let (ours, theirs) = (tenant("Not the owners"), tenant("Owners"));
    let (one_of_each, own_asset) = (one_of_each(&theirs), ours.asset("Own"));
    let shown = || {
        let paths = SINGLE_RESOURCE_READS
            .iter()
            .filter(|path| !path.contains("telemetry"))
            .map(|path| fill_path(path, &one_of_each));
        paths.map(|path| theirs.admin.get(&path).json).collect::<Vec<_>>()
    };
    let before = shown();
    for path in SINGLE_RESOURCE_READS {
        ours.admin.get(&fill_path(path, &one_of_each)).problem(404, "not-found");
    }
    for (method, path, _) in WRITES.iter().filter(|(_, path, _)| path.contains('{') && !path.contains("organizations"))
    {
        let text = body(method, path, &own_asset).to_string();
        let text = (*method != "GET" && *method != "DELETE").then_some(text.as_str());
        let answer =
            ours.admin.send(method, &fill_path(path, &one_of_each), text, &[("content-type", "application/json")]);
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
    }
    assert_eq!(shown(), before, "a resource of the other organisation changed");
}
