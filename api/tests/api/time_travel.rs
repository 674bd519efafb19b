//! Time travel: the state at a time (`asOf`), and the fields that each event changed.

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, Text, eventually, tenant};

/// Returns the history of a resource once it has this many events.
fn recorded(tenant: &Tenant, path: &str, events: usize) -> Answer {
    eventually("the expected number of events in the history", || {
        let history = tenant.admin.get(&format!("/api/v1{path}/history"));
        (history.status == 200 && history["total"] == events).then_some(history)
    })
}

/// Returns when the nth newest event was recorded, for use as `asOf`.
fn at(history: &Answer, nth: usize) -> String {
    history["events"][nth]["recordedAt"].text()
}

fn changes(history: &Answer, nth: usize) -> Vec<(String, Value, Value)> {
    let changes = history["events"][nth]["changes"].as_array().unwrap().iter();
    changes.map(|change| (change["field"].text(), change["before"].clone(), change["after"].clone())).collect()
}

#[test]
fn a_device_and_its_links_are_shown_as_they_were() {
    let (tenant, other) = (tenant("Past"), tenant("Present"));
    let (device, asset) = (tenant.device("P-1"), tenant.asset("Pump"));
    let path = format!("/devices/{device}");
    tenant.admin.put(&format!("/api/v1{path}"), json!({"name": "Second"})).ok();
    let link = json!({"validFrom": "2020-01-01T00:00:00Z"});
    let link = tenant.admin.post(&format!("/api/v1{path}/assets/{asset}/link"), link).created()["link"]["id"].text();
    let third = tenant.admin.put(&format!("/api/v1{path}"), json!({"name": "Third"})).ok();
    let unlink = format!("/api/v1{path}/assets/{asset}/unlink");
    tenant.admin.delete(&unlink).ok();
    let history = recorded(&tenant, &path, 6);
    let mut events = history["events"].as_array().unwrap().iter();
    let renamed = events.find(|event| event["payload"]["name"] == "Third").unwrap();
    assert_eq!(Some(renamed["logPosition"].to_string().as_str()), third.header("x-log-position"));
    let shown = |at: &str| tenant.admin.get(&format!("/api/v1{path}?asOf={at}"));
    let as_it_was = |nth: usize| {
        let device = shown(&at(&history, nth)).ok();
        (device["device"]["name"].text(), device["device"]["linkedAssetsCount"].as_i64().unwrap())
    };
    let states = [0, 1, 2, 3].map(as_it_was);
    assert_eq!(states, [("Third".into(), 0), ("Third".into(), 1), ("Second".into(), 1), ("Second".into(), 0)]);
    assert_eq!(shown(&at(&history, 3)).header("etag"), Some("\"2\""));
    shown("2020-01-01T00:00:00Z").problem(404, "not-found");
    shown("yesterday").problem(400, "invalid-parameters");
    other.admin.get(&format!("/api/v1{path}?asOf={}", at(&history, 0))).problem(404, "not-found");

    let before = tenant.admin.get(&format!("/api/v1/links/{link}?asOf={}", at(&history, 1))).ok();
    assert!(before["link"]["validUntil"].is_null(), "{}", before.text);
    let after = tenant.admin.get(&format!("/api/v1/links/{link}")).ok();
    assert!(after["link"]["validUntil"].is_string(), "{}", after.text);
    let ended = changes(&history, 0);
    assert_eq!((ended.len(), ended[0].0.as_str(), &ended[0].1), (1, "validUntil", &Value::Null));
}

#[test]
fn an_asset_a_rule_a_certificate_and_an_activity_are_shown_as_they_were() {
    let tenant = tenant("Former");
    let (asset, plant, device) = (tenant.asset("Pump"), tenant.asset("Plant"), tenant.device("P-2"));
    let shown = |path: &str, at: &str| tenant.admin.get(&format!("/api/v1{path}?asOf={at}")).ok();

    let path = format!("/assets/{asset}");
    tenant.admin.put(&format!("/api/v1{path}"), json!({"parentId": plant})).ok();
    tenant.admin.put(&format!("/api/v1{path}"), json!({"name": "Other"})).ok();
    let history = recorded(&tenant, &path, 2);
    assert_eq!(changes(&history, 0), [("name".into(), json!("Pump"), json!("Other"))]);
    let now = shown(&path, &at(&history, 0));
    assert_eq!((&now["asset"]["name"], &now["asset"]["parentId"]), (&json!("Other"), &json!(plant)));
    let then = shown(&path, &at(&history, 1));
    assert_eq!((&then["asset"]["name"], &then["asset"]["parentId"]), (&json!("Pump"), &Value::Null));

    let rule = json!({"name": "Hot", "entityType": "asset", "metricKey": "t", "severity": "low",
        "condition": {"operator": ">", "value": 1}});
    let rule = tenant.admin.post("/api/v1/rules", rule).created()["rule"]["id"].text();
    let path = format!("/rules/{rule}");
    tenant.admin.put(&format!("/api/v1{path}"), json!({"severity": "high"})).ok();
    let history = recorded(&tenant, &path, 2);
    assert_eq!(changes(&history, 0), [("severity".into(), json!("low"), json!("high"))]);
    assert_eq!(shown(&path, &at(&history, 1))["rule"]["severity"], "low");
    assert_eq!(shown(&path, &at(&history, 0))["rule"]["severity"], "high");

    let certificates = tenant.admin.get(&format!("/api/v1/devices/{device}/certificates")).ok();
    let path = format!("/certificates/{}", certificates["certificates"][0]["id"].text());
    tenant.admin.post(&format!("/api/v1/devices/{device}/certificate/revoke"), json!({"reason": "lost"})).ok();
    let history = recorded(&tenant, &path, 2);
    assert_eq!(shown(&path, &at(&history, 1))["certificate"]["status"], "active");
    assert_eq!(shown(&path, &at(&history, 0))["certificate"]["status"], "revoked");

    let template = tenant.admin.post("/api/v1/activity-templates", json!({"name": "Inspect"})).created();
    let make = format!("/api/v1/activities/from-template/{}", template["template"]["id"].text());
    let activity = tenant.admin.post(&make, json!({"targetId": asset})).created()["activity"]["id"].text();
    let path = format!("/activities/{activity}");
    tenant.admin.post(&format!("/api/v1{path}/assign"), json!({"assignedRole": "technician"})).ok();
    let history = recorded(&tenant, &path, 2);
    assert_eq!(shown(&path, &at(&history, 1))["activity"]["status"], "pending");
    assert_eq!(shown(&path, &at(&history, 0))["activity"]["status"], "assigned");
}
