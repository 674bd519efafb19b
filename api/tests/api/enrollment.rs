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

#[test]
fn a_request_with_the_label_of_keytool_and_iis_is_taken_wherever_a_device_sends_one() {
    let (tenant, workspace) = (tenant("Old labels"), OpensslWorkspace::new());
    let kind = tenant.device_type();
    let request = |serial_number: &str| {
        let pem = workspace.request(&format!("/CN={serial_number}"));
        let labelled = pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST").replace('\n', "\r\n");
        format!("Generated by keytool 21\r\n\r\n{}", labelled.trim_end())
    };
    let path = |id: &str, rest: &str| format!("/api/v1/devices/{id}/{rest}");
    let body = json!({"name": "A", "serialNumber": "K-1", "deviceTypeId": kind, "csr": request("K-1")});
    let id = tenant.admin.post("/api/v1/devices", body).created()["device"]["id"].text();
    tenant.admin.post(&path(&id, "certificate/renew"), json!({"csr": request("K-1")})).created();
    let body = json!({"serialNumber": "K-2", "reason": "worn", "csr": request("K-2")});
    tenant.admin.post(&path(&id, "replace"), body).ok();
    let pending = register_pending(&tenant, "K-3");
    enroll(&issue_code(&tenant, &pending), "K-3", &request("K-3")).created();
    let import = format!("/api/v1/devices/import?deviceTypeId={kind}");
    let line = json!({"serialNumber": "K-4", "csr": request("K-4")}).to_string();
    let cells = format!("serialNumber,csr\nK-5,\"{}\"\n", request("K-5"));
    for (content_type, file) in [("application/x-ndjson", line), ("text/csv", cells)] {
        let imported = tenant.admin.send("POST", &import, Some(&file), &[("Content-Type", content_type)]).ok();
        assert_eq!((imported["result"].text(), imported["chain"].is_string()), ("created".to_owned(), true));
    }
}

#[test]
fn two_requests_in_one_text_are_refused_with_the_reason() {
    let (tenant, workspace) = (tenant("Two requests"), OpensslWorkspace::new());
    let code = issue_code(&tenant, &register_pending(&tenant, "TWO"));
    let one = workspace.request("/CN=TWO");
    let two = enroll(&code, "TWO", &format!("{one}{}", workspace.request("/CN=TWO"))).problem(422, "invalid-fields");
    assert_eq!(two["errors"][0]["field"].text(), "csr");
    assert!(two["errors"][0]["message"].text().contains("more than one signing request"), "{}", two.text);
    enroll(&code, "TWO", &one).created();
}

#[test]
fn the_claim_code_of_a_decommissioned_device_enrols_no_successor() {
    let (tenant, workspace) = (tenant("Old codes"), OpensslWorkspace::new());
    let old = register_pending(&tenant, "HEIR");
    let code = issue_code(&tenant, &old);
    tenant.admin.post(&format!("/api/v1/devices/{old}/decommission"), json!({"reason": "scrapped"})).ok();
    let csr = workspace.request("/CN=HEIR");
    let bulk = |body| tenant.admin.post("/api/v1/enrollment/codes", body).ok();
    // Nobody has the serial number now.
    assert!(bulk(json!({"serialNumbers": ["HEIR"]}))["codes"][0]["code"].is_null());
    let body = json!({"serialNumbers": ["HEIR"], "deviceTypeId": tenant.device_type()});
    let issued = bulk(body)["codes"][0].clone();
    assert_ne!(issued["deviceId"].text(), old);
    enroll(&code, "HEIR", &csr).problem(409, "wrong-state");
    assert_eq!(enroll(&issued["code"].text(), "HEIR", &csr).created()["deviceId"], issued["deviceId"]);
}
