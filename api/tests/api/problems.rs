//! Every error is a problem document (RFC 9457).

use serde_json::json;
use uuid::Uuid;

use crate::support::{Text, platform, tenant};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[test]
fn an_unreadable_body_is_refused_with_the_reason() {
    let tenant = tenant("Bodies");
    let post_device =
        |body: &str, headers: &[(&str, &str)]| tenant.admin.send("POST", "/api/v1/devices", Some(body), headers);
    let answer = post_device("{\"name\": ", JSON).problem(400, "malformed-json");
    assert!(answer["detail"].text().contains("line 1"), "{}", answer.text);
    assert_eq!(answer["instance"], "/api/v1/devices");
    post_device("name=x", &[("content-type", "application/x-www-form-urlencoded")])
        .problem(415, "unsupported-media-type");
    assert_eq!(post_device("[]", JSON).problem(422, "invalid-fields").fields(), ["body"]);
    assert_eq!(post_device("null", JSON).problem(422, "invalid-fields").fields(), ["body"]);
    // The client must be able to read the response even though it has not finished sending.
    for megabytes in [1, 10, 32] {
        post_device(&format!("{{\"name\": \"{}\"}}", "x".repeat(megabytes << 20)), JSON).problem(413, "too-large");
    }
}

#[test]
fn unknown_paths_methods_and_parameters_are_problems() {
    let admin = platform().root_admin();
    admin.get("/api/v1/nothing").problem(404, "not-found");
    admin.get("/api/v2/devices").problem(404, "not-found");
    let refused = admin.send("PATCH", "/api/v1/devices", None, &[]).problem(405, "method-not-allowed");
    assert_eq!(refused.header("allow"), Some("POST, GET"));
    assert_eq!(admin.get("/api/v1/devices?limit=0").problem(400, "invalid-parameters").fields(), ["limit"]);
    assert_eq!(admin.get("/api/v1/devices?offset=-1").problem(400, "invalid-parameters").fields(), ["offset"]);
    assert_eq!(
        admin.get("/api/v1/devices?connectivity=maybe").problem(400, "invalid-parameters").fields(),
        ["connectivity"]
    );
    assert_eq!(admin.get("/api/v1/devices/not-an-id").problem(400, "invalid-parameters").fields(), ["path"]);
    let long = "k".repeat(201);
    let key = [("Idempotency-Key", long.as_str())];
    let answer = admin.post_with("/api/v1/organizations", json!({"name": "X"}), &key);
    assert_eq!(answer.problem(400, "invalid-parameters").fields(), ["Idempotency-Key"]);
}

#[test]
fn every_response_has_the_request_id() {
    let anonymous = platform().anonymous();
    assert!(anonymous.get("/health").ok().header("x-request-id").unwrap().parse::<Uuid>().is_ok());
    let id = Uuid::from_u128(77).to_string();
    let answer = anonymous.send("GET", "/api/v1/devices", None, &[("X-Request-Id", &id)]);
    assert_eq!(answer.header("x-request-id"), Some(id.as_str()));
}

#[test]
fn the_request_id_is_the_correlation_of_the_events() {
    let tenant = tenant("Correlation");
    let id = Uuid::from_u128(78).to_string();
    let kind = tenant.device_type();
    let body = json!({"name": "A", "serialNumber": "Q-1", "deviceTypeId": kind});
    let device = tenant.admin.post_with("/api/v1/devices", body, &[("X-Request-Id", &id)]).created();
    let path = format!("/api/v1/devices/{}/history", device["device"]["id"].text());
    let history = crate::support::eventually("both events in the history", || {
        let history = tenant.admin.get(&path).ok();
        (history["total"] == 2).then_some(history)
    });
    assert!(history["events"].as_array().unwrap().iter().all(|event| event["correlationId"] == id), "{}", history.text);
}

#[test]
fn numbers_and_booleans_are_not_accepted_as_text() {
    let tenant = tenant("Texts");
    let body = json!({"name": 7, "description": false, "icon": "pump"});
    let refused = tenant.admin.post("/api/v1/activity-types", body).problem(422, "invalid-fields");
    let mut fields = refused.fields();
    fields.sort();
    assert_eq!(fields, ["description", "name"]);
}
