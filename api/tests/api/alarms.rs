//! Working on alarms: list, assign, comment, shelve, dismiss.

use domain::alarm::{Alarm, AlarmCommand};
use serde_json::json;

use crate::activities::raise_alarm;
use crate::support::{Tenant, Text, eventually, now, platform, tenant};

/// Raises an alarm of an asset and waits until it is visible.
fn alarm(tenant: &Tenant) -> String {
    let asset = tenant.asset("Pump");
    let path = format!("/api/v1/alarms/{}", raise_alarm(tenant, &asset));
    eventually("the alarm in the read model", || (tenant.admin.get(&path).status == 200).then_some(()));
    path
}

fn command(tenant: &Tenant, path: &str, command: AlarmCommand) {
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let step = domain::ids::derive(id, &[&format!("{command:?}")]);
    let context = commands::CommandContext::system("test", tenant.organization.parse().unwrap(), step);
    let platform = platform();
    platform.runtime.block_on(platform.commands.execute::<Alarm>(&context, id, command)).unwrap();
}

#[test]
fn an_alarm_is_assigned_commented_and_dismissed() {
    let tenant = tenant("Alarm handling");
    let path = alarm(&tenant);
    let operator = tenant.user_with_role("operator");
    let me = operator.get("/api/v1/auth/me").ok()["id"].text();
    let step = |verb: &str, body| operator.post(&format!("{path}/{verb}"), body);
    assert_eq!(step("assign", json!({"assigneeId": me})).ok()["alarm"]["assigneeId"].text(), me);
    assert_eq!(operator.get(&format!("/api/v1/alarms?assigneeId={me}")).ok()["total"], 1);
    let unknown_user = "00000000-0000-4000-8000-000000000000";
    assert_eq!(
        step("assign", json!({"assigneeId": unknown_user})).problem(422, "unknown-reference").fields(),
        ["userId"]
    );
    assert_eq!(operator.get(&format!("/api/v1/alarms?assigneeId={unknown_user}")).ok()["total"], 0);
    let commented = step("comments", json!({"text": "A loose wire"})).ok();
    let comment = &commented["alarm"]["comments"][0];
    assert_eq!((comment["text"].text(), comment["author"].text()), ("A loose wire".into(), format!("user:{me}")));
    assert_eq!(step("comments", json!({"text": ""})).problem(422, "invalid-fields").fields(), ["text"]);
    assert_eq!(step("assign", json!({})).ok()["alarm"]["assigneeId"], json!(null));
    assert_eq!(operator.get("/api/v1/alarms?open=true").ok()["total"], 1);
    assert_eq!(step("dismiss", json!({"reason": " "})).problem(422, "invalid-fields").fields(), ["reason"]);
    let dismissed = step("dismiss", json!({"reason": "A test"})).ok();
    let shown = &dismissed["alarm"];
    assert_eq!((shown["state"].text(), shown["closed"].text()), ("closed".into(), "dismissed".into()));
    assert_eq!((shown["dismissedReason"].text(), shown["dismissedBy"].text()), ("A test".into(), format!("user:{me}")));
    step("dismiss", json!({"reason": "again"})).problem(409, "wrong-state");
    assert_eq!(operator.get("/api/v1/alarms?open=true").ok()["total"], 0);
    assert_eq!(operator.get("/api/v1/alarms?open=false").ok()["total"], 1);
    let history = operator.get(&format!("{path}/history")).ok();
    assert!(history.text.contains("AlarmDismissed") && history.text.contains("AlarmAssigned"), "{}", history.text);
}

#[test]
fn an_alarm_is_shelved_and_unshelved() {
    let tenant = tenant("Shelving");
    let path = alarm(&tenant);
    let operator = tenant.user_with_role("operator");
    let step = |verb: &str, body| operator.post(&format!("{path}/{verb}"), body);
    let until = (now() + chrono::TimeDelta::hours(2)).to_rfc3339();
    let shelved = step("shelve", json!({"until": until, "reason": "Cleaning"})).ok();
    assert_eq!(shelved["alarm"]["state"], "shelved");
    assert!(shelved["alarm"]["shelvedUntil"].is_string());
    assert_eq!(operator.get("/api/v1/alarms?suppressed=true").ok()["total"], 1);
    for invalid in ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
        let body = json!({"until": invalid, "reason": "x"});
        assert_eq!(step("shelve", body).problem(422, "invalid-fields").fields(), ["until"]);
    }
    let missing = step("shelve", json!({})).problem(422, "invalid-fields").fields();
    assert_eq!(missing, ["until", "reason"]);
    let unshelved = step("unshelve", json!({})).ok();
    assert_eq!(unshelved["alarm"]["state"], "active_unacknowledged");
    assert_eq!(operator.get("/api/v1/alarms?suppressed=false").ok()["total"], 1);
    let unknown = format!("/api/v1/alarms/{}", uuid::Uuid::from_u128(0xab5e));
    for verb in ["shelve", "unshelve"] {
        let body = json!({"until": until, "reason": "x"});
        let body = if verb == "shelve" { body } else { json!({}) };
        operator.post(&format!("{unknown}/{verb}"), body).problem(404, "not-found");
    }
}

#[test]
fn shelving_leaves_an_alarm_that_returned_to_normal_unchanged() {
    let tenant = tenant("Shelved after return to normal");
    let path = alarm(&tenant);
    let at = "2026-11-23T10:05:00Z".parse().unwrap();
    command(&tenant, &path, AlarmCommand::ReturnToNormal { repeats: 0, value: Some(1.0), at });
    let until = (now() + chrono::TimeDelta::hours(2)).to_rfc3339();
    let body = json!({"until": until, "reason": "Cleaning"});
    let shelved = tenant.admin.post(&format!("{path}/shelve"), body).ok();
    assert!(shelved["alarm"]["suppression"].is_null());
}

#[test]
fn repeats_and_successors_reported_by_the_stages_are_shown() {
    let tenant = tenant("Repeats");
    let path = alarm(&tenant);
    let at = "2026-11-23T10:05:00Z".parse().unwrap();
    let by = domain::ids::AlarmId(uuid::Uuid::from_u128(7));
    command(&tenant, &path, AlarmCommand::ReturnToNormal { repeats: 0, value: Some(1.0), at });
    command(&tenant, &path, AlarmCommand::RepeatAlarm { repeats: 1, value: 85.0, at, announce_reopening: true });
    eventually("the alarm's repeat", || {
        let alarm = tenant.admin.get(&path).ok();
        (alarm["alarm"]["repeats"] == 1 && alarm["alarm"]["active"] == true).then_some(())
    });
    command(&tenant, &path, AlarmCommand::SupersedeAlarm { by });
    eventually("the alarm's successor", || {
        let alarm = tenant.admin.get(&path).ok();
        (alarm["alarm"]["supersededBy"] == json!(by) && alarm["alarm"]["state"] == "closed").then_some(())
    });
}

#[test]
fn a_dismissed_alarm_is_in_the_open_lists_again_once_its_breach_recurs() {
    let tenant = tenant("Reopened");
    let path = alarm(&tenant);
    let at = "2026-11-23T10:05:00Z".parse().unwrap();
    tenant.admin.post(&format!("{path}/acknowledge"), json!({})).ok();
    tenant.admin.post(&format!("{path}/dismiss"), json!({"reason": "A test"})).ok();
    command(&tenant, &path, AlarmCommand::ReturnToNormal { repeats: 0, value: Some(1.0), at });
    command(&tenant, &path, AlarmCommand::RepeatAlarm { repeats: 1, value: 85.0, at, announce_reopening: true });
    let open = |filter: &str| tenant.admin.get(&format!("/api/v1/alarms?open=true{filter}")).ok();
    eventually("the alarm is open again", || (open("")["total"] == 1).then_some(()));
    let shown = &open("&acknowledged=false&state=active")["alarms"][0];
    assert_eq!(
        (&shown["repeats"], &shown["closed"], &shown["dismissedReason"]),
        (&json!(1), &json!(null), &json!(null))
    );
    let history = tenant.admin.get(&format!("{path}/history")).ok();
    assert!(history.text.contains("AlarmDismissed") && history.text.contains("AlarmReopened"), "{}", history.text);
    tenant.admin.post(&format!("{path}/dismiss"), json!({"reason": "Again"})).ok();
}

#[test]
fn an_asset_is_taken_out_of_service_and_returned() {
    let tenant = tenant("Services");
    let path = format!("/api/v1/assets/{}", tenant.asset("Pump"));
    let engineer = tenant.user_with_role("engineer");
    let step = |verb: &str, body| engineer.post(&format!("{path}/{verb}"), body);
    assert_eq!(step("out-of-service", json!({})).problem(422, "invalid-fields").fields(), ["reason"]);
    let updated = step("out-of-service", json!({"reason": "Overhaul"})).ok();
    assert_eq!(
        (&updated["asset"]["outOfService"], &updated["asset"]["outOfServiceReason"]),
        (&json!(true), &json!("Overhaul"))
    );
    assert_eq!(step("in-service", json!({})).ok()["asset"]["outOfService"], false);
    assert!(engineer.get(&path).ok()["asset"]["outOfServiceReason"].is_null());
}
