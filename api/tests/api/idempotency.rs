//! Writes repeated with the same idempotency key.

use serde_json::json;

use crate::support::{Text, tenant};

#[test]
fn a_reused_key_with_another_body_is_refused_without_effect() {
    let (tenant, other) = (tenant("Repeats"), tenant("Others"));
    let create = |body: &str| {
        let headers = [("Idempotency-Key", "once"), ("content-type", "application/json")];
        tenant.admin.send("POST", "/api/v1/asset-types", Some(body), &headers)
    };
    let first = create(r#"{"name": "Pump", "description": "of water"}"#).created();
    let again = create(r#"{ "description":"of water", "name":"Pump" }"#).created();
    assert_eq!(again["assetType"]["id"], first["assetType"]["id"]);
    create(r#"{"name": "Fan", "description": "of air"}"#).problem(422, "idempotency-key-reused");
    create("").problem(422, "idempotency-key-reused");
    assert_eq!(tenant.admin.get("/api/v1/asset-types").ok()["total"], 1);

    let key = [("Idempotency-Key", "once")];
    let other_asset_type = other.admin.post_with("/api/v1/asset-types", json!({"name": "Fan"}), &key).created();
    assert_ne!(other_asset_type["assetType"]["id"], first["assetType"]["id"]);
    let device_type = tenant.admin.post_with("/api/v1/device-types", json!({"name": "Sensor"}), &key).created();
    assert_eq!(device_type["deviceType"]["name"].text(), "Sensor");
}
