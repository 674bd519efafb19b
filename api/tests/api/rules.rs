//! Rules and activity templates.

use serde_json::{Value, json};

use crate::support::{Text, tenant};

fn rule() -> Value {
    json!({"name": "Hot", "entityType": "asset", "entityId": null, "metricKey": "temperature",
        "condition": {"operator": ">", "value": 80, "durationSeconds": 300}, "severity": "high",
        "action": {"type": "none"}})
}

fn with(field: &str, value: Value) -> Value {
    let mut rule = rule();
    rule[field] = value;
    rule
}

#[test]
fn a_rule_is_defined_with_defaults_changed_in_part_and_deleted() {
    let tenant = tenant("Rules");
    let template = json!({"name": "Look"});
    let template = tenant.admin.post("/api/v1/activity-templates", template).created()["template"]["id"].text();
    let action = json!({"type": "create_activity", "templateId": template});
    let created = tenant.admin.post("/api/v1/rules", with("action", action.clone())).created();
    let shown = &created["rule"];
    assert_eq!((&shown["action"], &shown["cooldownSeconds"], &shown["isActive"]), (&action, &json!(300), &json!(true)));
    assert_eq!(shown["condition"], json!({"operator": ">", "value": 80.0, "durationSeconds": 300}));
    let path = format!("/api/v1/rules/{}", shown["id"].text());
    let body = json!({"isActive": false, "condition": {"operator": "<", "value": 25}});
    let changed = tenant.admin.put(&path, body).ok();
    assert_eq!((&changed["rule"]["isActive"], &changed["rule"]["name"]), (&json!(false), &json!("Hot")));
    assert_eq!(changed["rule"]["condition"], json!({"operator": "<", "value": 25.0, "durationSeconds": 0}));
    assert_eq!(tenant.admin.get(&path).ok().json, changed.json);
    assert_eq!(tenant.admin.get("/api/v1/rules?isActive=true").ok()["rules"], json!([]));
    assert_eq!(tenant.admin.get("/api/v1/rules?entityType=asset&isActive=false").ok()["total"], 1);
    assert_eq!(tenant.admin.delete(&path).ok().json, json!({"success": true}));
    assert_eq!(tenant.admin.get("/api/v1/rules").ok()["total"], 0);
    tenant.admin.put(&path, json!({"name": "Again"})).problem(404, "not-found");
}

#[test]
fn what_is_wrong_with_a_rule_is_named() {
    let tenant = tenant("Wrong rules");
    let refused = |body: Value| tenant.admin.post("/api/v1/rules", body).problem(422, "invalid-fields").fields();
    assert_eq!(refused(json!({})), ["name", "entityType", "metricKey", "condition", "severity"]);
    assert_eq!(refused(with("name", json!(" "))), ["name"]);
    assert_eq!(refused(with("metricKey", json!("a b"))), ["metricKey"]);
    assert_eq!(refused(with("severity", json!("worst"))), ["severity"]);
    assert_eq!(
        refused(with("condition", json!({"operator": "~", "value": "x"}))),
        ["condition.operator", "condition.value"]
    );
    assert_eq!(refused(with("condition", json!({"operator": "between", "value": 1}))), ["condition"]);
    assert_eq!(
        refused(with("condition", json!({"operator": ">", "value": 1, "durationSeconds": 9_000_000}))),
        ["condition.durationSeconds"]
    );
    assert_eq!(refused(with("action", json!({"type": "explode"}))), ["action.type"]);
    assert_eq!(refused(with("action", json!({"type": "webhook"}))), ["action.url"]);
    assert_eq!(refused(with("action", json!({"type": "webhook", "url": "ftp://x"}))), ["action.url"]);
    assert_eq!(refused(with("cooldownSeconds", json!(-1))), ["cooldownSeconds"]);
    let nowhere = with("entityId", json!(uuid::Uuid::from_u128(3)));
    assert_eq!(tenant.admin.post("/api/v1/rules", nowhere).problem(422, "unknown-reference").fields(), ["assetId"]);
    assert_eq!(tenant.admin.get("/api/v1/rules").ok()["total"], 0);
}

#[test]
fn a_template_is_kept_as_it_was_given() {
    let tenant = tenant("Templates");
    let body = json!({"name": "Emergency", "description": "Health is critical", "triggerEventType": "THRESHOLD_BREACH",
        "defaultPriority": "critical", "defaultAssignedRole": "technician", "defaultDueHours": 2,
        "checklist": [{"item": "Check pressure", "required": true}, {"item": "Look for leaks", "required": false}]});
    let created = tenant.admin.post("/api/v1/activity-templates", body.clone()).created();
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&created["template"][field], value, "{field}");
    }
    let path = format!("/api/v1/activity-templates/{}", created["template"]["id"].text());
    assert_eq!(tenant.admin.get(&path).ok().json, created.json);
    assert_eq!(tenant.admin.get("/api/v1/activity-templates?triggerEventType=MANUAL").ok()["total"], 0);
    assert_eq!(tenant.admin.get("/api/v1/activity-templates?triggerEventType=THRESHOLD_BREACH").ok()["total"], 1);
    let empty = json!({"name": "E", "checklist": [{"item": "ok"}, {"item": " "}]});
    assert_eq!(tenant.admin.put(&path, empty).problem(422, "invalid-fields").fields(), ["checklist[1].item"]);
    assert_eq!(tenant.admin.put(&path, json!({"name": "Calm"})).ok()["template"]["triggerEventType"], "MANUAL");
    tenant.admin.delete(&path).ok();
    assert_eq!(tenant.admin.get("/api/v1/activity-templates").ok()["total"], 0);
}
