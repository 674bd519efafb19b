//! Dead letters: visible to their own organisation, redriven or discarded once, each decision audited.

use bytes::Bytes;
use eventlog::{Headers, Publisher, PublisherSettings, Stream};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Tenant, Text, eventually, platform, tenant};

/// Publishes dead letters as a stage would.
pub fn publish_dead_letters(letters: &Value) {
    let platform = platform();
    platform.runtime.block_on(async {
        let publisher = Publisher::new(&platform.log, PublisherSettings::default());
        let payload = Bytes::from(letters.to_string());
        publisher.publish(Stream::TelemetryDlq, "normalizer", Headers::new(), payload).await.unwrap();
    });
}

/// Returns a dead letter of the normalizer in its stored form.
pub fn dead_letter(tenant: &Tenant, device: Option<Uuid>, reason: &str, payload: &str) -> Value {
    json!({"stage": "normalizer", "reason": reason, "detail": "test detail", "subject": "telemetry.raw.v1.0",
        "organization": tenant.organization, "device": device, "received_at": "2026-11-23T10:00:00Z",
        "payload": payload})
}

/// Publishes a dead letter of an organisation and returns its id.
pub fn publish_dead_letter(tenant: &Tenant) -> String {
    publish_dead_letters(&json!([dead_letter(tenant, None, "malformed_json", "{")]));
    listed(tenant, "", 1)[0]["id"].text()
}

fn listed(tenant: &Tenant, query: &str, count: usize) -> Vec<Value> {
    eventually("the dead letters in the list", || {
        let answer = tenant.admin.get(&format!("/api/v1/dead-letters{query}")).ok();
        let letters = answer["deadLetters"].as_array().unwrap().clone();
        (letters.len() == count).then_some(letters)
    })
}

#[test]
fn letters_are_listed_filtered_and_settled_once_with_an_author() {
    let (tenant, device) = (tenant("Letters"), Uuid::from_u128(77));
    publish_dead_letters(&json!([
        dead_letter(&tenant, Some(device), "unknown_metric", r#"{"metrics":{"x":1}}"#),
        dead_letter(&tenant, None, "malformed_json", "{"),
        dead_letter(&tenant, Some(device), "oversize", &"x".repeat(4_096)),
    ]));
    assert_eq!(listed(&tenant, "", 3).len(), 3);
    assert_eq!(listed(&tenant, &format!("?deviceId={device}"), 2).len(), 2);
    assert_eq!(listed(&tenant, "?to=2026-11-23T10:00:00Z", 0).len(), 0);
    let id = |reason: &str| listed(&tenant, &format!("?stage=normalizer&reason={reason}"), 1)[0]["id"].text();
    let (unknown, malformed, oversize) = (id("unknown_metric"), id("malformed_json"), id("oversize"));
    let engineer = tenant.user_with_role("engineer");
    let redrive = |ids: &[&str]| engineer.post("/api/v1/dead-letters/redrive", json!({ "ids": ids })).ok();
    let outcome = redrive(&[&unknown, &malformed, &oversize, &unknown]);
    let results = outcome["results"].as_array().unwrap();
    let done: Vec<bool> = results.iter().map(|result| result["success"].as_bool().unwrap()).collect();
    assert_eq!(done, [true, false, false]);
    assert_eq!(results[1]["problem"]["detail"], "the dead letter names no device or no organisation");
    assert_eq!(results[2]["problem"]["detail"], "the payload may be truncated");
    let again = redrive(&[&unknown]);
    assert_eq!(again["results"][0]["problem"]["detail"], "the dead letter is already settled");
    let body = json!({"ids": [malformed, oversize], "comment": "a test bench"});
    let discarded = engineer.post("/api/v1/dead-letters/discard", body).ok();
    assert!(discarded["results"].as_array().unwrap().iter().all(|result| result["success"] == true));
    listed(&tenant, "?status=open", 0);
    let seen = tenant.admin.get(&format!("/api/v1/dead-letters/{malformed}")).ok();
    let letter = &seen["deadLetter"];
    assert_eq!((letter["status"].text(), letter["comment"].text()), ("discarded".into(), "a test bench".into()));
    assert!(letter["settledBy"].text().starts_with("user:"), "{letter}");
    assert_eq!(listed(&tenant, "?status=redriven", 1)[0]["id"].text(), unknown);
}

#[test]
fn letters_of_other_organisations_are_not_found_and_requests_are_validated() {
    let (owner, other) = (tenant("Owner of dead letters"), tenant("Another organisation"));
    let id = publish_dead_letter(&owner);
    other.admin.get(&format!("/api/v1/dead-letters/{id}")).status(404);
    let discard = |body: Value| other.admin.post("/api/v1/dead-letters/discard", body);
    let answer = discard(json!({ "ids": [id] })).ok();
    assert_eq!(answer["results"][0]["problem"]["status"], 404);
    listed(&owner, "?status=open", 1);
    discard(json!({ "ids": [] })).status(422);
    discard(json!({ "ids": ["x"] })).status(422);
    discard(json!({ "ids": vec![Uuid::nil(); 1_001] })).status(422);
    discard(json!({ "ids": [Uuid::nil()], "comment": "" })).status(422);
    other.admin.get("/api/v1/dead-letters?status=lost").status(400);
}
