//! Organisations, and acting in another one.

use serde_json::json;

use crate::support::{Text, platform, tenant};

#[test]
fn an_organisation_is_renamed() {
    let (tenant, root) = (tenant("Before"), platform().root_admin());
    let path = format!("/api/v1/organizations/{}", tenant.organization);
    assert_eq!(root.put(&path, json!({"name": "After"})).ok()["organization"]["name"], "After");
    assert_eq!(root.put(&path, json!({"name": ""})).problem(422, "invalid-fields").fields(), ["name"]);
    tenant.admin.put(&path, json!({"name": "Ours"})).problem(403, "forbidden");
    let unknown = format!("/api/v1/organizations/{}", uuid::Uuid::from_u128(1));
    root.put(&unknown, json!({"name": "After"})).problem(404, "not-found");
    root.post(&format!("{unknown}/suspend"), json!({"reason": "x"})).problem(404, "not-found");
    root.post(&format!("{unknown}/reactivate"), json!({})).problem(404, "not-found");
}

#[test]
fn nobody_can_suspend_their_own_organisation() {
    let root = platform().root_admin();
    let own = root.get("/api/v1/auth/me").ok()["organizationId"].text();
    root.post(&format!("/api/v1/organizations/{own}/suspend"), json!({"reason": "x"})).problem(403, "forbidden");
}

#[test]
fn a_platform_administrator_acts_in_the_organisation_they_choose() {
    let (tenant, root) = (tenant("Chosen"), platform().root_admin());
    let device = tenant.device("CHOSEN-1");
    let path = format!("/api/v1/devices/{device}");
    root.get(&path).problem(404, "not-found");
    let root_in_tenant = root.with("x-organization", &tenant.organization);
    assert_eq!(root_in_tenant.get(&path).ok()["device"]["id"], device);
    assert_eq!(root_in_tenant.put(&path, json!({"name": "Renamed"})).ok()["device"]["name"], "Renamed");
    let me = root_in_tenant.get("/api/v1/auth/me").ok();
    assert_eq!(me["organizationId"], root.get("/api/v1/auth/me").ok()["organizationId"]);
    assert_eq!(tenant.admin.get(&path).ok()["device"]["name"], "Renamed");
}

#[test]
fn only_platform_administrators_choose_an_organisation_and_it_must_exist() {
    let (ours, theirs) = (tenant("Choosing"), tenant("Others"));
    let choosing = |organization: &str| ours.admin.with("x-organization", organization).get("/api/v1/devices");
    choosing(&ours.organization).ok();
    choosing(&theirs.organization).problem(404, "not-found");
    let root = platform().root_admin();
    root.with("x-organization", &uuid::Uuid::from_u128(1).to_string()).get("/api/v1/devices").problem(404, "not-found");
    let wrong = root.with("x-organization", "Others").get("/api/v1/devices").problem(400, "invalid-parameters");
    assert_eq!(wrong.fields(), ["X-Organization"]);
}
