//! API keys.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Tenant, Text, eventually, platform, tenant};

fn create_key(admin: &Client, role: &str) -> Answer {
    admin.post("/api/v1/api-keys", json!({"name": "Dashboard", "role": role})).created()
}

/// Creates a key; returns a client that uses it and the key's id.
fn client_with_key(tenant: &Tenant, role: &str) -> (Client, String) {
    let created = create_key(&tenant.admin, role);
    (platform().anonymous().bearing(&created["key"].text()), created["apiKey"]["id"].text())
}

fn find_key(admin: &Client, id: &str) -> Value {
    let keys = admin.get("/api/v1/api-keys").ok();
    keys["apiKeys"].as_array().unwrap().iter().find(|key| key["id"] == id).cloned().expect("the key is listed")
}

#[test]
fn a_key_is_shown_once_and_grants_what_its_role_allows() {
    let tenant = tenant("Keys");
    let created = create_key(&tenant.admin, "viewer");
    let (key, id) = (created["key"].text(), created["apiKey"]["id"].text());
    assert!(key.starts_with("argk_"), "{key}");
    assert_eq!(created["apiKey"]["status"], "active");
    assert!(!tenant.admin.get("/api/v1/api-keys").ok().text.contains("argk_"));
    assert_eq!(find_key(&tenant.admin, &id)["lastUsedAt"], Value::Null);
    platform().anonymous().bearing(&key).get("/api/v1/devices").ok();
    platform().anonymous().with("x-api-key", &key).get("/api/v1/devices").ok();
    assert!(find_key(&tenant.admin, &id)["lastUsedAt"].is_string());
    let me = platform().anonymous().bearing(&key).get("/api/v1/auth/me").ok();
    assert_eq!((&me["id"], &me["name"], &me["role"]), (&json!(id), &json!("Dashboard"), &json!("viewer")));
}

#[test]
fn a_key_has_only_the_rights_of_its_role_and_no_password() {
    let tenant = tenant("Key roles");
    let (viewer, _) = client_with_key(&tenant, "viewer");
    viewer.post("/api/v1/asset-types", json!({"name": "Pump"})).problem(403, "forbidden");
    viewer.get("/api/v1/api-keys").problem(403, "forbidden");
    let passwords = json!({"currentPassword": "x", "newPassword": "long enough"});
    viewer.post("/api/v1/auth/password", passwords).problem(403, "forbidden");
    let theirs = crate::support::tenant("Elsewhere");
    viewer.with("x-organization", &theirs.organization).get("/api/v1/devices").problem(404, "not-found");
}

#[test]
fn a_key_cannot_have_a_higher_role_than_its_creator() {
    let tenant = tenant("Makers");
    let above = json!({"name": "Root", "role": "platform_admin"});
    tenant.admin.post("/api/v1/api-keys", above.clone()).problem(403, "forbidden");
    let (client, _) = client_with_key(&tenant, "admin");
    client.post("/api/v1/api-keys", above).problem(403, "forbidden");
    create_key(&client, "engineer");
}

#[test]
fn changes_made_with_a_key_name_the_key_as_actor() {
    let tenant = tenant("Actors");
    let (client, id) = client_with_key(&tenant, "admin");
    let kind = client.post("/api/v1/device-types", json!({"name": "Sensor"})).created()["deviceType"]["id"].text();
    let body = json!({"name": "A", "serialNumber": "K-1", "deviceTypeId": kind});
    let device = client.post("/api/v1/devices", body).created()["device"]["id"].text();
    let history = eventually("the device's history", || {
        let history = client.get(&format!("/api/v1/devices/{device}/history")).ok();
        (history["total"] != 0).then_some(history)
    });
    assert!(history.text.contains(&format!("api_key:{id}")), "{}", history.text);
}

#[test]
fn invalid_fields_of_a_key_are_refused() {
    let admin = tenant("Nonsense").admin;
    let refused = |body: Value| admin.post("/api/v1/api-keys", body).problem(422, "invalid-fields").fields();
    assert_eq!(refused(json!({"name": " ", "role": "viewer"})), ["name"]);
    assert_eq!(refused(json!({"name": "A", "role": "viewer", "validityDays": 0})), ["validityDays"]);
    assert_eq!(refused(json!({"name": "A", "role": "king"})), ["role"]);
    let create_repeatedly = || {
        let key = [("Idempotency-Key", "one")];
        admin.post_with("/api/v1/api-keys", json!({"name": "A", "role": "viewer"}), &key).created()
    };
    let (first, second) = (create_repeatedly(), create_repeatedly());
    assert_eq!(first["apiKey"]["id"], second["apiKey"]["id"]);
    assert!(first["key"].is_string());
}

#[test]
fn revoked_expired_and_altered_keys_are_refused() {
    let tenant = tenant("Revoked");
    let (client, id) = client_with_key(&tenant, "viewer");
    client.get("/api/v1/devices").ok();
    let key = client.token.clone().unwrap();
    for wrong in [format!("{}AAAA", &key[..key.len() - 4]), format!("{key}A"), "argk_".to_owned()] {
        let refused = client.bearing(&wrong).get("/api/v1/devices").problem(401, "unauthenticated");
        assert_eq!(refused["detail"], "the API key is unknown");
    }
    let later = platform().second_api(TimeDelta::days(366), api::Limits::default()).bearing(&key);
    assert_eq!(later.get("/api/v1/auth/me").problem(401, "unauthenticated")["detail"], "the API key has expired");
    tenant.admin.delete(&format!("/api/v1/api-keys/{id}")).ok();
    assert_eq!(client.get("/api/v1/devices").problem(401, "unauthenticated")["detail"], "the API key was revoked");
    assert_eq!(find_key(&tenant.admin, &id)["status"], "revoked");
    tenant.admin.delete(&format!("/api/v1/api-keys/{}", uuid::Uuid::from_u128(1))).problem(404, "not-found");
}

#[test]
fn keys_of_a_suspended_organisation_are_refused() {
    let tenant = tenant("Keys of a suspended organisation");
    let (client, _) = client_with_key(&tenant, "viewer");
    let path = format!("/api/v1/organizations/{}/suspend", tenant.organization);
    platform().root_admin().post(&path, json!({"reason": "unpaid"})).ok();
    eventually("the refusal of the key", || (client.get("/api/v1/devices").status == 401).then_some(()));
}
