//! Claim codes, and enrolment over the API's own port.

use serde_json::{Value, json};

use crate::support::openssl_workspace::OpensslWorkspace;
use crate::support::{Answer, Tenant, Text, platform, tenant};

fn register_pending(tenant: &Tenant, serial_number: &str) -> String {
    let body = json!({"name": serial_number, "serialNumber": serial_number, "deviceTypeId": tenant.device_type(),
        "issueCertificate": false});
    let answer = tenant.admin.post("/api/v1/devices", body).created();
    assert!(answer["certificate"].is_null(), "{}", answer.text);
    answer["device"]["id"].text()
}

fn issue_code(tenant: &Tenant, device: &str) -> String {
    tenant.admin.post(&format!("/api/v1/devices/{device}/claim-code"), json!({})).created()["code"].text()
}

fn enroll(code: &str, serial_number: &str, csr: &str) -> Answer {
    let body = json!({"code": code, "serialNumber": serial_number, "csr": csr});
    platform().anonymous().post("/api/v1/enroll", body)
}

#[test]
fn a_claim_code_works_once_for_one_device_and_one_key() {
    let (tenant, workspace) = (tenant("Claims"), OpensslWorkspace::new());
    let device = register_pending(&tenant, "CLAIM-1");
    let path = format!("/api/v1/devices/{device}/certificates");
    assert_eq!(tenant.admin.get(&path).ok()["status"], "pending");
    let code = issue_code(&tenant, &device);
    let csr = workspace.request("/CN=CLAIM-1");
    let typed = code.to_lowercase().replace('-', " ");
    let enrolled = enroll(&typed, " CLAIM-1 ", &csr).created();
    assert_eq!((&enrolled["deviceId"], &enrolled["organizationId"]), (&json!(device), &json!(tenant.organization)));
    assert!(!enrolled.text.contains("PRIVATE KEY"));
    assert_eq!(
        enroll(&code, "CLAIM-1", &csr).created()["certificate"],
        enrolled["certificate"],
        "a repeat returns the lost response"
    );
    enroll(&code, "CLAIM-1", &workspace.request("/CN=CLAIM-1")).problem(410, "gone");
    let list = crate::support::eventually("the active certificate", || {
        let list = tenant.admin.get(&path).ok();
        (list["status"] == "active").then_some(list)
    });
    assert_eq!(list["certificates"][0]["createdBy"], format!("device:{device}"));
    let history = tenant.admin.get(&format!("/api/v1/devices/{device}/history")).ok();
    assert!(!history.text.contains(&code), "an event contains the code");
}

#[test]
fn enrolment_without_a_valid_code_of_the_device_is_refused() {
    let (tenant, workspace) = (tenant("Wrong claims"), OpensslWorkspace::new());
    let (first, second) = (register_pending(&tenant, "CLAIM-2"), register_pending(&tenant, "CLAIM-3"));
    let (one, csr) = (issue_code(&tenant, &first), workspace.request("/CN=CLAIM-2"));
    enroll(&one, "CLAIM-3", &csr).problem(403, "wrong-claim-code");
    enroll("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "CLAIM-2", &csr).problem(403, "wrong-claim-code");
    enroll("nonsense", "CLAIM-2", &csr).problem(403, "wrong-claim-code");
    let refused = enroll(&one, "CLAIM-2", &workspace.request("/CN=CLAIM-3")).problem(422, "invalid-fields");
    assert_eq!(refused.fields(), ["csr"]);
    let missing = platform().anonymous().post("/api/v1/enroll", json!({})).problem(422, "invalid-fields");
    assert_eq!(missing.fields(), ["code", "serialNumber", "csr"]);
    // A refused request does not use up the code, but a newer code replaces it.
    let newer = issue_code(&tenant, &first);
    enroll(&one, "CLAIM-2", &csr).problem(403, "wrong-claim-code");
    tenant.admin.delete(&format!("/api/v1/devices/{first}/claim-code")).ok();
    enroll(&newer, "CLAIM-2", &csr).problem(403, "wrong-claim-code");
    let third = issue_code(&tenant, &second);
    tenant.admin.post(&format!("/api/v1/devices/{second}/decommission"), json!({"reason": "x"})).ok();
    enroll(&third, "CLAIM-3", &workspace.request("/CN=CLAIM-3")).problem(409, "wrong-state");
    tenant.admin.post(&format!("/api/v1/devices/{second}/claim-code"), json!({})).problem(409, "wrong-state");
    for hours in [0, 2_161] {
        let refused =
            tenant.admin.post(&format!("/api/v1/devices/{first}/claim-code"), json!({"validityHours": hours}));
        assert_eq!(refused.problem(422, "invalid-fields").fields(), ["validityHours"]);
    }
}

#[test]
fn a_repeated_request_keeps_the_code_and_does_not_return_it_again() {
    let tenant = tenant("Repeated codes");
    let path = format!("/api/v1/devices/{}/claim-code", register_pending(&tenant, "CLAIM-4"));
    let key = [("Idempotency-Key", "once")];
    let first = tenant.admin.post_with(&path, json!({}), &key).created();
    let again = tenant.admin.post_with(&path, json!({}), &key).created();
    assert!(first["code"].is_string() && again["code"].is_null());
    assert_eq!((&first["id"], &first["expiresAt"]), (&again["id"], &again["expiresAt"]));
    enroll(&first["code"].text(), "CLAIM-4", &OpensslWorkspace::new().request("/CN=CLAIM-4")).created();
}

#[test]
fn codes_are_issued_in_bulk_and_unknown_devices_registered_on_request() {
    let (tenant, workspace) = (tenant("Bulk codes"), OpensslWorkspace::new());
    register_pending(&tenant, "BULK-1");
    let path = "/api/v1/enrollment/codes";
    let answer = tenant.admin.post(path, json!({"serialNumbers": ["BULK-1", "BULK-2", " "]})).ok();
    let codes = answer["codes"].as_array().unwrap().clone();
    assert!(codes[0]["code"].is_string() && codes[1]["code"].is_null(), "{}", answer.text);
    assert!(codes[1]["error"].text().contains("deviceTypeId") && codes[2]["error"].text().contains("1 to 100"));
    let body = json!({"serialNumbers": ["BULK-2", "BULK-3"], "deviceTypeId": tenant.device_type()});
    let answer = tenant.admin.post(path, body).ok();
    let codes: Vec<Value> = answer["codes"].as_array().unwrap().clone();
    let enrolled = enroll(&codes[1]["code"].text(), "BULK-3", &workspace.request("/CN=BULK-3")).created();
    assert_eq!(enrolled["deviceId"], codes[1]["deviceId"]);
    crate::support::eventually("all three devices in the list", || {
        (tenant.admin.get("/api/v1/devices").ok()["total"] == 3).then_some(())
    });
    let refused = tenant.admin.post(path, json!({"serialNumbers": []})).problem(422, "invalid-fields");
    assert_eq!(refused.fields(), ["serialNumbers"]);
}

#[test]
fn a_port_without_client_certificates_renews_nothing() {
    let anonymous = platform().anonymous();
    anonymous.post("/api/v1/enroll/renew", json!({"csr": "x"})).problem(401, "unauthenticated");
    anonymous.get("/api/v1/enroll/certificate").problem(401, "unauthenticated");
}
