//! Authorisation: what each role can do, for every operation, and isolation between organisations.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Client, platform, tenant};

/// Operations that need more than the right to read: method, path and the lowest role allowed. The ids are unknown, so
/// an allowed caller gets 404.
pub const WRITES: &[(&str, &str, &str)] = &[
    ("POST", "/organizations", "platform_admin"),
    ("GET", "/organizations", "platform_admin"),
    ("GET", "/organizations/{id}", "platform_admin"),
    ("PUT", "/organizations/{id}", "platform_admin"),
    ("POST", "/organizations/{id}/suspend", "platform_admin"),
    ("POST", "/organizations/{id}/reactivate", "platform_admin"),
    ("POST", "/auth/password", "viewer"),
    ("POST", "/users", "admin"),
    ("GET", "/users", "admin"),
    ("GET", "/audit", "admin"),
    ("GET", "/users/{id}", "admin"),
    ("GET", "/users/{id}/history", "admin"),
    ("GET", "/api-keys/{id}/history", "admin"),
    ("GET", "/organizations/{id}/history", "platform_admin"),
    ("PUT", "/users/{id}", "admin"),
    ("POST", "/users/{id}/suspend", "admin"),
    ("POST", "/users/{id}/reactivate", "admin"),
    ("DELETE", "/users/{id}", "admin"),
    ("POST", "/api-keys", "admin"),
    ("GET", "/api-keys", "admin"),
    ("DELETE", "/api-keys/{id}", "admin"),
    ("POST", "/devices", "admin"),
    ("PUT", "/devices/{id}", "admin"),
    ("POST", "/devices/import", "admin"),
    ("POST", "/devices/{id}/replace", "admin"),
    ("POST", "/devices/{id}/decommission", "admin"),
    ("POST", "/devices/{id}/certificate/revoke", "admin"),
    ("POST", "/devices/{id}/certificate/renew", "admin"),
    ("POST", "/devices/{id}/claim-code", "admin"),
    ("DELETE", "/devices/{id}/claim-code", "admin"),
    ("POST", "/enrollment/codes", "admin"),
    ("PUT", "/certificates/policy", "admin"),
    ("PUT", "/telemetry/retention", "admin"),
    ("POST", "/devices/{id}/tokens", "admin"),
    ("DELETE", "/devices/{id}/tokens/{tokenId}", "admin"),
    ("PUT", "/devices/{id}/gateway", "admin"),
    ("DELETE", "/devices/{id}/gateway", "admin"),
    ("POST", "/device-types", "engineer"),
    ("PUT", "/device-types/{id}", "engineer"),
    ("DELETE", "/device-types/{id}", "engineer"),
    ("POST", "/asset-types", "engineer"),
    ("PUT", "/asset-types/{id}", "engineer"),
    ("DELETE", "/asset-types/{id}", "engineer"),
    ("POST", "/activity-types", "engineer"),
    ("PUT", "/activity-types/{id}", "engineer"),
    ("DELETE", "/activity-types/{id}", "engineer"),
    ("POST", "/asset-profiles", "engineer"),
    ("PUT", "/asset-profiles/{id}", "engineer"),
    ("DELETE", "/asset-profiles/{id}", "engineer"),
    ("POST", "/protocol-converters", "engineer"),
    ("PUT", "/protocol-converters/{id}", "engineer"),
    ("DELETE", "/protocol-converters/{id}", "engineer"),
    ("POST", "/notification-channels", "admin"),
    ("PUT", "/notification-channels/{id}", "admin"),
    ("DELETE", "/notification-channels/{id}", "admin"),
    ("PUT", "/device-types/{id}/converter", "engineer"),
    ("POST", "/assets", "engineer"),
    ("PUT", "/assets/{id}", "engineer"),
    ("DELETE", "/assets/{id}", "engineer"),
    ("POST", "/devices/{deviceId}/assets/{assetId}/link", "engineer"),
    ("DELETE", "/devices/{deviceId}/assets/{assetId}/unlink", "engineer"),
    ("PUT", "/devices/{deviceId}/links/{id}", "engineer"),
    ("POST", "/protocol-converters/{id}/test", "viewer"),
    ("POST", "/rules", "engineer"),
    ("PUT", "/rules/{id}", "engineer"),
    ("DELETE", "/rules/{id}", "engineer"),
    ("POST", "/activity-templates", "engineer"),
    ("PUT", "/activity-templates/{id}", "engineer"),
    ("DELETE", "/activity-templates/{id}", "engineer"),
    ("POST", "/activities/from-template/{templateId}", "operator"),
    ("POST", "/activities/{id}/assign", "operator"),
    ("POST", "/activities/{id}/start", "operator"),
    ("POST", "/activities/{id}/items/{index}", "operator"),
    ("POST", "/activities/{id}/complete", "operator"),
    ("POST", "/activities/{id}/cancel", "operator"),
    ("POST", "/activities/{id}/comments", "operator"),
    ("POST", "/alarms/{id}/acknowledge", "operator"),
    ("POST", "/alarms/{id}/assign", "operator"),
    ("POST", "/alarms/{id}/comments", "operator"),
    ("POST", "/alarms/{id}/dismiss", "operator"),
    ("POST", "/alarms/{id}/shelve", "operator"),
    ("POST", "/alarms/{id}/unshelve", "operator"),
    ("POST", "/notifications/{id}/resend", "admin"),
    ("POST", "/webhook-secret", "admin"),
    ("POST", "/assets/{id}/out-of-service", "engineer"),
    ("POST", "/assets/{id}/in-service", "engineer"),
    ("POST", "/dead-letters/redrive", "engineer"),
    ("POST", "/dead-letters/discard", "engineer"),
];

/// Reads of lists and settings, allowed for every user of the organisation.
const READS: &[&str] = &[
    "/auth/me",
    "/device-types",
    "/asset-types",
    "/activity-types",
    "/asset-profiles",
    "/notification-channels",
    "/protocol-converters",
    "/devices",
    "/devices/export",
    "/certificates",
    "/certificates/policy",
    "/telemetry/retention",
    "/assets",
    "/rules",
    "/activity-templates",
    "/activities",
    "/alarms",
    "/dead-letters",
    "/notifications",
    "/events",
];

/// Reads of a single resource.
pub const SINGLE_RESOURCE_READS: &[&str] = &[
    "/device-types/{id}",
    "/device-types/{id}/history",
    "/asset-types/{id}",
    "/asset-types/{id}/history",
    "/activity-types/{id}",
    "/activity-types/{id}/history",
    "/asset-profiles/{id}",
    "/asset-profiles/{id}/history",
    "/notification-channels/{id}",
    "/notification-channels/{id}/history",
    "/protocol-converters/{id}",
    "/protocol-converters/{id}/history",
    "/devices/{id}",
    "/devices/{id}/certificates",
    "/devices/{id}/history",
    "/devices/{id}/tokens",
    "/devices/{id}/gateway",
    "/devices/{deviceId}/assets",
    "/certificates/{id}",
    "/certificates/{id}/history",
    "/links/{id}",
    "/assets/{id}",
    "/assets/{id}/history",
    "/assets/{id}/health",
    "/assets/{assetId}/devices",
    "/rules/{id}",
    "/rules/{id}/history",
    "/activity-templates/{id}",
    "/activity-templates/{id}/history",
    "/activities/{id}",
    "/activities/{id}/history",
    "/alarms/{id}",
    "/alarms/{id}/history",
    "/dead-letters/{id}",
    "/notifications/{id}",
    "/telemetry/device/{deviceId}",
    "/telemetry/device/{deviceId}/latest",
    "/telemetry/asset/{assetId}",
    "/telemetry/asset/{assetId}/latest",
];

/// Operations without an access token: the caller authenticates with a password, a cookie, a token in the URL, a claim
/// code or a certificate.
pub const PUBLIC: &[(&str, &str)] = &[
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"),
    ("GET", "/devices/{id}/certificate/bundle/{token}"),
    ("GET", "/devices/{id}/certificate/download"),
    ("POST", "/enroll"),
    ("POST", "/enroll/renew"),
    ("GET", "/enroll/certificate"),
];

const ROLES: [&str; 5] = ["viewer", "operator", "engineer", "admin", "platform_admin"];

fn full_path(path: &str, id: &str) -> String {
    let filled = path.split('/').map(|part| match part {
        "{index}" => "0",
        part if part.starts_with('{') => id,
        part => part,
    });
    format!("/api/v1{}", filled.collect::<Vec<_>>().join("/"))
}

/// Every operation of the tables, by method and path.
fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    let reads = READS.iter().chain(SINGLE_RESOURCE_READS).map(|path| ("GET", *path));
    WRITES.iter().map(|(method, path, _)| (*method, *path)).chain(reads)
}

fn status(client: &Client, method: &str, path: &str) -> u16 {
    let body = (method != "GET" && method != "DELETE").then_some("{}");
    client.send(method, path, body, &[("content-type", "application/json")]).status
}

#[test]
fn every_documented_operation_is_in_a_table() {
    let document = platform().anonymous().get("/api/openapi.json").ok();
    let paths = document["paths"].as_object().unwrap();
    let documented: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, operations)| {
            operations.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let in_tables = operations().chain(PUBLIC.iter().copied()).map(|(method, path)| format!("{method} {path}"));
    assert_eq!(documented, in_tables.collect::<BTreeSet<_>>());
}

#[test]
fn each_role_can_do_what_the_table_says() {
    let tenant = tenant("Roles");
    let unknown_id = uuid::Uuid::from_u128(1).to_string();
    for (rank, role) in ROLES.iter().enumerate() {
        let client = if *role == "platform_admin" { platform().root_admin() } else { tenant.user_with_role(role) };
        for (method, path, lowest_role) in WRITES {
            let allowed = rank >= ROLES.iter().position(|known| known == lowest_role).unwrap();
            let status = status(&client, method, &full_path(path, &unknown_id));
            assert_eq!(status == 403, !allowed, "{role} {method} {path}: {status}");
            assert!(status < 500 && status != 401, "{role} {method} {path}: {status}");
        }
        for path in READS {
            client.get(&full_path(path, &unknown_id)).ok();
        }
    }
}

#[test]
fn an_anonymous_caller_is_refused_everywhere() {
    let anonymous = platform().anonymous();
    let unknown_id = uuid::Uuid::from_u128(1).to_string();
    for (method, path) in operations() {
        assert_eq!(status(&anonymous, method, &full_path(path, &unknown_id)), 401, "{method} {path}");
    }
}

#[test]
fn resources_of_another_organisation_are_not_found() {
    let (ours, theirs) = (tenant("Ours"), tenant("Theirs"));
    let (device, asset) = (theirs.device("SECRET-1"), theirs.asset("Secret"));
    for path in SINGLE_RESOURCE_READS {
        for id in [&device, &asset] {
            ours.admin.get(&full_path(path, id)).problem(404, "not-found");
        }
    }
    let rename = json!({"name": "Mine now"});
    ours.admin.put(&format!("/api/v1/devices/{device}"), rename.clone()).problem(404, "not-found");
    ours.admin.put(&format!("/api/v1/assets/{asset}"), rename).problem(404, "not-found");
    let reason = json!({"reason": "x"});
    for verb in ["decommission", "certificate/revoke"] {
        ours.admin.post(&format!("/api/v1/devices/{device}/{verb}"), reason.clone()).problem(404, "not-found");
    }
    ours.admin.post(&format!("/api/v1/devices/{device}/certificate/renew"), json!({})).problem(404, "not-found");
    ours.admin.post(&format!("/api/v1/devices/{device}/assets/{asset}/link"), json!({})).problem(404, "not-found");
    let own = ours.device("OWN-1");
    ours.admin.post(&format!("/api/v1/devices/{own}/assets/{asset}/link"), json!({})).problem(404, "not-found");
    let listed = |path: &str, name: &str| ours.admin.get(path).ok()[name].as_array().unwrap().clone();
    let ids: Vec<Value> = listed("/api/v1/devices", "devices").iter().map(|device| device["id"].clone()).collect();
    assert_eq!(ids, [json!(own)]);
    assert!(listed("/api/v1/assets", "assets").is_empty());
    assert_eq!(theirs.admin.get(&format!("/api/v1/devices/{device}")).ok()["device"]["name"], "SECRET-1");
}
