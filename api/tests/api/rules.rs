//! Rules and activity templates.

use serde_json::{Value, json};

use crate::support::{Text, tenant};

fn rule() -> Value {
    json!({"name": "Hot", "entityType": "asset", "entityId": null, "metricKey": "temperature",
        "condition": {"operator": ">", "value": 80, "durationSeconds": 300}, "severity": "high",
        "action": {"type": "none"}})
}

fn rule_with(field: &str, value: Value) -> Value {
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
    let created = tenant.admin.post("/api/v1/rules", rule_with("action", action.clone())).created();
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
fn invalid_fields_of_a_rule_are_named() {
    let tenant = tenant("Wrong rules");
    let refused = |body: Value| tenant.admin.post("/api/v1/rules", body).problem(422, "invalid-fields").fields();
    assert_eq!(refused(json!({})), ["name", "entityType", "metricKey", "condition", "severity"]);
    assert_eq!(refused(rule_with("name", json!(" "))), ["name"]);
    assert_eq!(refused(rule_with("metricKey", json!("a b"))), ["metricKey"]);
    assert_eq!(refused(rule_with("severity", json!("worst"))), ["severity"]);
    assert_eq!(
        refused(rule_with("condition", json!({"operator": "~", "value": "x"}))),
        ["condition.operator", "condition.value"]
    );
    assert_eq!(refused(rule_with("condition", json!({"operator": "between", "value": 1}))), ["condition"]);
    assert_eq!(
        refused(rule_with("condition", json!({"operator": ">", "value": 1, "durationSeconds": 9_000_000}))),
        ["condition.durationSeconds"]
    );
    assert_eq!(refused(rule_with("action", json!({"type": "explode"}))), ["action.type"]);
    assert_eq!(refused(rule_with("action", json!({"type": "webhook"}))), ["action.url"]);
    assert_eq!(refused(rule_with("action", json!({"type": "webhook", "url": "ftp://x"}))), ["action.url"]);
    assert_eq!(refused(rule_with("cooldownSeconds", json!(-1))), ["cooldownSeconds"]);
    let unknown_asset = rule_with("entityId", json!(uuid::Uuid::from_u128(3)));
    assert_eq!(
        tenant.admin.post("/api/v1/rules", unknown_asset).problem(422, "unknown-reference").fields(),
        ["assetId"]
    );
    assert_eq!(tenant.admin.get("/api/v1/rules").ok()["total"], 0);
}

#[test]
fn a_template_is_returned_as_it_was_sent() {
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

#[test]
fn a_condition_supports_parts_dead_band_schedule_and_clear_condition() {
    let tenant = tenant("Parts");
    let condition = json!({
        "all": [
            {"operator": ">", "value": 80.0, "deadBand": 2.0},
            {"any": [{"metricKey": "flow", "operator": "<", "value": 1.0, "perSecond": true}, {"noDataSeconds": 60}]},
            {"metricKey": "pressure", "operator": "outside", "value": 1.0, "upper": 3.0},
        ],
        "durationSeconds": 30, "maxGapSeconds": 60, "clear": {"operator": "<", "value": 60.0},
        "schedule": {
            "timeZone": "Europe/Berlin",
            "windows": [{"days": ["mon", "fri"], "from": "22:00:00", "until": "06:00:00"}],
        },
    });
    let created = tenant.admin.post("/api/v1/rules", rule_with("condition", condition.clone())).created();
    assert_eq!(created["rule"]["condition"], condition);
    let short = json!({"timeZone": "UTC", "windows": [{"from": "08:00", "until": "17:30"}]});
    let shown = tenant.admin.put(
        &format!("/api/v1/rules/{}", created["rule"]["id"].text()),
        json!({"condition": {"noDataSeconds": 60, "schedule": short}}),
    );
    let window = json!({"days": [], "from": "08:00:00", "until": "17:30:00"});
    assert_eq!(shown.ok()["rule"]["condition"]["schedule"]["windows"], json!([window]));
}

#[test]
fn invalid_parts_of_a_condition_are_named_with_their_path() {
    let tenant = tenant("Wrong parts");
    let refused = |condition: Value| {
        let refused =
            tenant.admin.post("/api/v1/rules", rule_with("condition", condition)).problem(422, "invalid-fields");
        refused.fields().first().unwrap_or_else(|| panic!("{}", refused.text)).clone()
    };
    let compare = json!({"operator": ">", "value": 1});
    let schedule = |zone: &str, from: &str| {
        let windows = json!([{"from": from, "until": "10:00"}]);
        json!({"operator": ">", "value": 1, "schedule": {"timeZone": zone, "windows": windows}})
    };
    let table = [
        (json!({}), "condition"),
        (json!({"operator": ">"}), "condition.value"),
        (json!({"value": 1}), "condition.operator"),
        (json!({"operator": ">", "value": 1, "noDataSeconds": 60}), "condition"),
        (json!({"noDataSeconds": 60, "deadBand": 1}), "condition"),
        (json!({"noDataSeconds": 5}), "condition.noDataSeconds"),
        (json!({"all": []}), "condition.all"),
        (json!({"all": [compare], "any": [compare]}), "condition"),
        (json!({"all": [{"operator": ">"}]}), "condition.all[0].value"),
        (json!({"any": [compare, {"all": [{"noDataSeconds": 60, "upper": 1}]}]}), "condition.any[1].all[0]"),
        (json!({"all": [{"metricKey": "a", "any": [compare]}]}), "condition.all[0].metricKey"),
        (json!({"all": [{"operator": ">", "value": 1, "durationSeconds": 1}]}), "condition.all[0].durationSeconds"),
        (json!({"operator": ">", "value": 1, "clear": {}}), "condition.clear"),
        (json!({"operator": ">", "value": 1, "clear": {"x": 1}}), "condition.clear.x"),
        (json!({"operator": ">", "value": 1, "maxGapSeconds": 0}), "condition.maxGapSeconds"),
        (json!({"operator": "==", "value": 1, "deadBand": 1}), "condition.deadBand"),
        (json!({"all": [{"all": [{"all": [{"all": [{"all": [compare]}]}]}]}]}), "condition"),
        (schedule("Europe/Atlantis", "08:00"), "condition.schedule.timeZone"),
        (schedule("UTC", "25:00"), "condition.schedule.windows[0].from"),
    ];
    for (condition, field) in table {
        assert_eq!(refused(condition.clone()), field, "{condition}");
    }
}

#[test]
fn a_rule_for_a_type_needs_an_existing_type_and_keeps_it_in_use() {
    let tenant = tenant("Typed rules");
    let defined = tenant.admin.post("/api/v1/asset-types", json!({"name": "Pump"})).created();
    let of_type = defined["assetType"]["id"].text();
    let created = tenant.admin.post("/api/v1/rules", rule_with("typeId", json!(of_type))).created();
    assert_eq!(created["rule"]["typeId"].text(), of_type);
    let unknown_type = uuid::Uuid::from_u128(0xab5e);
    let unknown = tenant.admin.post("/api/v1/rules", rule_with("typeId", json!(unknown_type)));
    assert_eq!(unknown.problem(422, "unknown-reference").fields(), ["assetTypeId"]);
    let mut both = rule_with("typeId", json!(of_type));
    both["entityId"] = json!(tenant.asset("Pump"));
    assert_eq!(tenant.admin.post("/api/v1/rules", both).problem(422, "invalid-fields").fields(), ["typeId"]);
    let path = format!("/api/v1/asset-types/{of_type}");
    let refused = tenant.admin.delete(&path).problem(409, "in-use");
    assert_eq!(refused["usedBy"][0]["kind"], "rule");
}
