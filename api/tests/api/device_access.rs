//! HTTP tokens of devices, and gateways.

use serde_json::{Value, json};

use crate::support::{Text, platform, tenant};

#[test]
fn a_token_is_shown_once_listed_without_its_secret_and_revoked() {
    let tenant = tenant("Tokens");
    let device = tenant.device("T-1");
    let path = format!("/api/v1/devices/{device}/tokens");
    let key = [("Idempotency-Key", "token")];
    let body = json!({"label": "Workshop", "validityDays": 30});
    let issued = tenant.admin.post_with(&path, body.clone(), &key).created();
    let (id, secret) = (issued["id"].text(), issued["token"].text());
    assert!(secret.starts_with("argusiq-device-"), "{secret}");
    let again = tenant.admin.post_with(&path, body, &key).created();
    assert_eq!((again["id"].text(), &again["token"]), (id.clone(), &Value::Null));
    assert_eq!(again["expiresAt"], issued["expiresAt"]);
    let listed = tenant.admin.get(&path).ok();
    assert_eq!(
        listed["tokens"],
        json!([{"id": id, "label": "Workshop", "status": "valid", "expiresAt": issued["expiresAt"]}])
    );
    tenant.admin.delete(&format!("{path}/{id}?reason=lost")).ok();
    let listed = tenant.admin.get(&path).ok();
    assert_eq!(
        (listed["tokens"][0]["status"].text(), listed["tokens"][0]["revokedReason"].text()),
        ("revoked".to_owned(), "lost".to_owned())
    );
    let audit = tenant.admin.get(&format!("/api/v1/devices/{device}/history")).ok();
    assert!(!audit.text.contains(&secret), "the secret is in the history");
}

#[test]
fn invalid_fields_of_a_token_are_named() {
    let tenant = tenant("Bad tokens");
    let device = tenant.device("T-2");
    let path = format!("/api/v1/devices/{device}/tokens");
    for (body, field) in [
        (json!({"validityDays": 0}), "validityDays"),
        (json!({"validityDays": 3651}), "validityDays"),
        (json!({"label": ""}), "label"),
    ] {
        assert_eq!(tenant.admin.post(&path, body).problem(422, "invalid-fields").fields(), [field]);
    }
    let unknown_id = "00000000-0000-0000-0000-000000000001";
    tenant.admin.post(&format!("/api/v1/devices/{unknown_id}/tokens"), json!({})).problem(404, "not-found");
    tenant.admin.get(&format!("/api/v1/devices/{unknown_id}/tokens")).problem(404, "not-found");
    tenant.admin.delete(&format!("{path}/{unknown_id}")).problem(404, "not-found");
    platform().anonymous().post(&path, json!({})).problem(401, "unauthenticated");
}

#[test]
fn a_gateway_is_appointed_and_dismissed() {
    let tenant = tenant("Gateways");
    let path = format!("/api/v1/devices/{}/gateway", tenant.device("G-1"));
    assert_eq!(tenant.admin.get(&path).ok()["gateway"], false);
    tenant.admin.put(&path, json!({})).ok();
    assert_eq!(tenant.admin.get(&path).ok()["gateway"], true);
    tenant.admin.delete(&path).ok();
    assert_eq!(tenant.admin.get(&path).ok()["gateway"], false);
}
