//! Activities, alarms and system events.

use domain::alarm::{Alarm, AlarmCommand, Breach};
use domain::alarming::{Condition, Operator, Severity};
use domain::ids::RuleId;
use domain::rule::EntityKind;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Tenant, Text, eventually, platform, tenant};

fn template(tenant: &Tenant) -> String {
    let body = json!({"name": "Inspect", "defaultPriority": "low", "defaultDueHours": 4,
        "checklist": [{"item": "Bearings", "required": true}, {"item": "Leaks"}]});
    tenant.admin.post("/api/v1/activity-templates", body).created()["template"]["id"].text()
}

/// Raises an alarm as the rule evaluator would.
pub fn raise_alarm(tenant: &Tenant, asset: &str) -> String {
    let organization = tenant.organization.parse().unwrap();
    let id = domain::ids::derive(Uuid::from_u128(5), &[asset]);
    let at = "2026-11-23T10:00:00Z".parse().unwrap();
    let breach = Breach {
        rule_id: RuleId(Uuid::from_u128(6)),
        rule_name: "Hot".into(),
        entity_type: EntityKind::Asset,
        entity_id: asset.parse().unwrap(),
        metric_key: "temperature".into(),
        condition: Box::new(Condition::comparing(Operator::Above, 80.0)),
        severity: Severity::High,
        value: 81.5,
        started_at: at,
        raised_at: at,
        episode: 1,
    };
    let context = commands::CommandContext::system("test", organization, id);
    let platform = platform();
    let raised =
        platform.commands.execute::<Alarm>(&context, id, AlarmCommand::RaiseAlarm { breach, suppression: None });
    platform.runtime.block_on(raised).unwrap();
    id.to_string()
}

#[test]
fn an_activity_is_created_from_a_template_and_completed_step_by_step() {
    let tenant = tenant("Work");
    let (template, asset) = (template(&tenant), tenant.asset("Pump"));
    let operator = tenant.user_with_role("operator");
    let path = format!("/api/v1/activities/from-template/{template}");
    let body = json!({"targetId": asset, "overrides": {"priority": "high"}});
    let created = operator.post(&path, body).created();
    let activity = &created["activity"];
    assert_eq!(
        (activity["name"].text(), activity["priority"].text(), activity["status"].text()),
        ("Inspect".into(), "high".into(), "pending".into())
    );
    assert_eq!((activity["targetType"].text(), activity["targetName"].text()), ("asset".into(), "Pump".into()));
    assert!(activity["dueAt"].is_string());
    assert_eq!(created.header("x-log-stream"), Some("ES_ACTIVITY"));
    let path = format!("/api/v1/activities/{}", activity["id"].text());
    let step = |verb: &str, body| operator.post(&format!("{path}/{verb}"), body);
    step("start", json!({})).problem(409, "wrong-state");
    assert_eq!(step("assign", json!({})).problem(422, "invalid-fields").fields(), ["assignedToUserId"]);
    assert_eq!(step("assign", json!({"assignedRole": "technician"})).ok()["activity"]["status"], "assigned");
    assert_eq!(step("start", json!({})).ok()["activity"]["status"], "in_progress");
    step("complete", json!({})).problem(409, "wrong-state");
    step("items/7", json!({})).problem(404, "not-found");
    assert_eq!(step("items/0", json!({})).ok()["activity"]["checklist"][0]["done"], true);
    let done = step("complete", json!({"note": "all well"})).ok();
    assert_eq!(
        (done["activity"]["status"].text(), done["activity"]["note"].text()),
        ("done".into(), "all well".into())
    );
    step("cancel", json!({"reason": "too late"})).problem(409, "wrong-state");
    assert_eq!(operator.get(&path).ok().json, done.json);
    assert_eq!(operator.get("/api/v1/activities?status=done").ok()["total"], 1);
    assert_eq!(operator.get("/api/v1/activities?status=pending").ok()["total"], 0);
}

#[test]
fn an_activity_takes_comments_before_and_after_its_end() {
    let tenant = tenant("Comments");
    let path = format!("/api/v1/activities/from-template/{}", template(&tenant));
    let created = tenant.admin.post(&path, json!({"targetId": tenant.asset("Pump")})).created();
    let operator = tenant.user_with_role("operator");
    let path = format!("/api/v1/activities/{}", created["activity"]["id"].text());
    let add_comment = |text: &str| operator.post(&format!("{path}/comments"), json!({"text": text}));
    assert_eq!(created["activity"]["comments"], json!([]));
    let commented = add_comment(" Seal is worn ").ok();
    let me = operator.get("/api/v1/auth/me").ok()["id"].text();
    let comment = &commented["activity"]["comments"][0];
    assert_eq!((comment["text"].text(), comment["author"].text()), ("Seal is worn".into(), format!("user:{me}")));
    assert!(comment["at"].is_string());
    for empty in ["", "   "] {
        assert_eq!(add_comment(empty).problem(422, "invalid-fields").fields(), ["text"], "{empty:?}");
    }
    operator.post(&format!("{path}/cancel"), json!({"reason": "no spare part"})).ok();
    let commented = add_comment("Ordered").ok();
    let comments = commented["activity"]["comments"].as_array().unwrap();
    assert_eq!(comments.iter().map(|comment| comment["text"].text()).collect::<Vec<_>>(), ["Seal is worn", "Ordered"]);
    assert_eq!(
        (commented["activity"]["status"].text(), operator.get(&path).ok().json),
        ("cancelled".into(), commented.json.clone())
    );
    let unknown = format!("/api/v1/activities/{}/comments", Uuid::nil());
    operator.post(&unknown, json!({"text": "Hello"})).problem(404, "not-found");
}

#[test]
fn an_activity_needs_a_target_and_a_template() {
    let tenant = tenant("No work");
    let path = format!("/api/v1/activities/from-template/{}", template(&tenant));
    let unknown = tenant.admin.post(&path, json!({"targetId": Uuid::from_u128(4)}));
    assert_eq!(unknown.problem(422, "invalid-fields").fields(), ["targetId"]);
    let device = tenant.device("A-1");
    assert_eq!(tenant.admin.post(&path, json!({"targetId": device})).created()["activity"]["targetType"], "device");
    let path = format!("/api/v1/activities/from-template/{}", Uuid::from_u128(4));
    tenant.admin.post(&path, json!({"targetId": device})).problem(404, "not-found");
    let unknown_user = json!({"targetId": device, "overrides": {"assignedToUserId": Uuid::from_u128(4)}});
    let path = format!("/api/v1/activities/from-template/{}", template(&tenant));
    assert_eq!(tenant.admin.post(&path, unknown_user).problem(422, "unknown-reference").fields(), ["userId"]);
}

#[test]
fn an_alarm_is_listed_and_acknowledged_once() {
    let tenant = tenant("Alarms");
    let asset = tenant.asset("Pump");
    let id = raise_alarm(&tenant, &asset);
    let operator = tenant.user_with_role("operator");
    let listed = eventually("the alarm in the list", || {
        let listed = operator.get("/api/v1/alarms?state=active&acknowledged=false&severity=high").ok();
        (listed["total"] == 1).then_some(listed)
    });
    let alarm = &listed["alarms"][0];
    assert_eq!(
        (alarm["id"].text(), alarm["entityName"].text(), alarm["state"].text()),
        (id.clone(), "Pump".into(), "active_unacknowledged".into())
    );
    for filter in
        ["state=cleared", "acknowledged=true", "severity=low", "entityId=00000000-0000-0000-0000-000000000001"]
    {
        assert_eq!(operator.get(&format!("/api/v1/alarms?{filter}")).ok()["total"], 0, "{filter}");
    }
    let path = format!("/api/v1/alarms/{id}");
    let acknowledged = operator.post(&format!("{path}/acknowledge"), json!({"comment": "on my way"})).ok();
    let me = operator.get("/api/v1/auth/me").ok()["id"].text();
    let alarm = &acknowledged["alarm"];
    assert_eq!(
        (alarm["acknowledged"].as_bool(), alarm["acknowledgedComment"].text()),
        (Some(true), "on my way".into())
    );
    assert_eq!(alarm["acknowledgedBy"], format!("user:{me}"));
    assert_eq!(operator.send("POST", &format!("{path}/acknowledge"), None, &[]).ok().json, acknowledged.json);
    assert_eq!(operator.get(&path).ok().json, acknowledged.json);
    assert_eq!(operator.get("/api/v1/alarms?acknowledged=false").ok()["total"], 0);
    operator.post(&format!("/api/v1/alarms/{}/acknowledge", Uuid::nil()), json!({})).problem(404, "not-found");
}

#[test]
fn system_events_are_listed() {
    let tenant = tenant("Events");
    let device = tenant.device("E-1");
    let path = format!("/api/v1/devices/{device}/certificate/revoke");
    tenant.admin.post(&path, json!({"reason": "lost"})).ok();
    let events = eventually("the event in the list", || {
        let events = tenant.admin.get("/api/v1/events?type=CERTIFICATE_REVOKED").ok();
        (events["total"] == 1).then_some(events)
    });
    assert_eq!(events["events"][0]["type"], "CERTIFICATE_REVOKED");
    assert!(events["events"][0]["timestamp"].is_string());
    assert_eq!(tenant.admin.get("/api/v1/events?type=OTHER").ok()["total"], 0);
    assert_eq!(tenant.admin.get("/api/v1/events?to=2020-01-01T00:00:00Z").ok()["total"], 0);
}
