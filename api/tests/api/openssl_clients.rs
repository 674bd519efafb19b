//! Devices that use only the `openssl` and `curl` commands, so that independent code verifies the certificates.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::openssl_workspace::OpensslWorkspace;
use crate::support::{Tenant, Text, eventually, platform, tenant};

/// Fetches a file with curl, which must succeed.
#[track_caller]
fn curl(workspace: &OpensslWorkspace, arguments: &[&str]) -> String {
    let run =
        Command::new("curl").current_dir(workspace.path()).args(["-sS", "--max-time", "20"]).args(arguments).output();
    let output = run.expect("these tests need the curl command: apt-get install curl");
    let text = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
    assert!(output.status.success(), "curl {arguments:?}: {text}");
    text
}

/// Downloads the published chain and revocation lists next to a device's certificate.
fn fetch_lists(workspace: &OpensslWorkspace, organization: &str) {
    let address = &platform().address;
    let get = |path: &str, name: &str| curl(workspace, &["-f", "-o", name, &format!("http://{address}/pki/{path}")]);
    get(&format!("{organization}/ca.pem"), "chain.pem");
    get("ca.pem", "root.pem");
    get(&format!("{organization}/crl.pem"), "crl.pem");
    get(&format!("{organization}/crl.der"), "crl.der");
    get("crl.pem", "root-crl.pem");
    let lists = workspace.read("crl.pem") + &workspace.read("root-crl.pem");
    workspace.write("lists.pem", &lists);
}

fn crl_number(workspace: &OpensslWorkspace) -> u64 {
    let shown = workspace.openssl("crl -in crl.pem -noout -crlnumber");
    u64::from_str_radix(shown.trim().trim_start_matches("crlNumber=").trim_start_matches("0x"), 16).unwrap()
}

#[test]
fn openssl_accepts_a_fresh_certificate_against_the_published_lists_and_refuses_a_revoked_one() {
    let (tenant, workspace) = (tenant("Verified by openssl"), OpensslWorkspace::new());
    let body = json!({"name": "A", "serialNumber": "OSSL-1", "deviceTypeId": tenant.device_type()});
    let created = tenant.admin.post("/api/v1/devices", body).created();
    let (id, certificate) = (created["device"]["id"].text(), &created["certificate"]);
    workspace.write("device.pem", &certificate["certificate"].text());
    let verify = |all: &str| {
        let command = format!(
            "verify -x509_strict -purpose sslclient {all} -CRLfile lists.pem -CAfile root.pem -untrusted chain.pem \
             device.pem"
        );
        let output = workspace.try_openssl(&command);
        let text = String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap();
        (output.status.success(), text)
    };
    fetch_lists(&workspace, &tenant.organization);
    for all in ["-crl_check", "-crl_check_all"] {
        assert!(verify(all).0, "{}", verify(all).1);
    }
    let before = crl_number(&workspace);
    assert_eq!(
        workspace.openssl("crl -inform DER -in crl.der"),
        workspace.openssl("crl -in crl.pem"),
        "DER and PEM contain the same list"
    );
    let reason = json!({"reason": "stolen", "code": "key_compromise"});
    tenant.admin.post(&format!("/api/v1/devices/{id}/certificate/revoke"), reason).ok();
    fetch_lists(&workspace, &tenant.organization);
    let (accepted, text) = verify("-crl_check");
    assert!(!accepted && text.contains("certificate revoked"), "{text}");
    assert!(crl_number(&workspace) > before);
    let shown = workspace.openssl("crl -in crl.pem -noout -text");
    let serial = certificate["serialNumber"].text().to_uppercase();
    for part in ["Last Update", "Next Update", "X509v3 CRL Number", "Key Compromise", serial.as_str()] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let first = workspace.read("crl.pem");
    fetch_lists(&workspace, &tenant.organization);
    assert_eq!(workspace.read("crl.pem"), first, "the same CRL number always means the same list");
    platform().anonymous().get(&format!("/pki/{}/crl.pem", uuid::Uuid::nil())).problem(404, "not-found");
}

/// Posts JSON to the enrolment listener with curl; returns status and response.
#[track_caller]
fn post(workspace: &OpensslWorkspace, path: &str, body: &Value, more: &[&str]) -> (String, Value) {
    workspace.write("body.json", &body.to_string());
    let url = format!("https://localhost:{}{path}", platform().enroll_port);
    let common = ["--cacert", "root.pem", "-H", "content-type: application/json", "--data-binary", "@body.json"];
    let output = curl(workspace, &[&common[..], &["-w", "\n%{http_code}"], more, &[&url]].concat());
    let (body, status) = output.rsplit_once('\n').unwrap();
    (status.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null))
}

fn pending_device_with_code(tenant: &Tenant, serial_number: &str) -> (String, String) {
    let body = json!({"name": serial_number, "serialNumber": serial_number, "deviceTypeId": tenant.device_type(),
        "issueCertificate": false});
    let device = tenant.admin.post("/api/v1/devices", body).created()["device"]["id"].text();
    let code = tenant.admin.post(&format!("/api/v1/devices/{device}/claim-code"), json!({})).created()["code"].text();
    (device, code)
}

#[test]
fn openssl_and_curl_alone_claim_enrol_and_renew() {
    let (tenant, workspace) = (tenant("Command line only"), OpensslWorkspace::new());
    let (device, code) = pending_device_with_code(&tenant, "BARE-1");
    workspace.write("root.pem", &platform().root_certificate_pem);
    let csr = workspace.request("/CN=BARE-1");
    let (status, enrolled) =
        post(&workspace, "/api/v1/enroll", &json!({"code": code, "serialNumber": "BARE-1", "csr": csr}), &[]);
    assert_eq!((status.as_str(), &enrolled["deviceId"]), ("201", &json!(device)), "{enrolled}");
    workspace.write("chain.crt", &enrolled["chain"].text());
    workspace.write("old.key", &workspace.read("key"));
    let with_old = ["--cert", "chain.crt", "--key", "old.key"];
    let csr = workspace.request(&format!("/CN={device}"));
    let body = json!({ "csr": csr });
    let (status, renewed) = post(&workspace, "/api/v1/enroll/renew", &body, &with_old);
    assert_eq!(status, "201", "{renewed}");
    assert_ne!(renewed["serialNumber"], enrolled["serialNumber"]);
    assert_eq!(post(&workspace, "/api/v1/enroll/renew", &body, &with_old).1["certificate"], renewed["certificate"]);
    // The new certificate works too, and returns itself as the newest.
    workspace.write("new.crt", &renewed["certificate"].text());
    let url = format!("https://localhost:{}/api/v1/enroll/certificate", platform().enroll_port);
    let newest = curl(&workspace, &["--cacert", "root.pem", "--cert", "new.crt", "--key", "key", &url]);
    assert_eq!(serde_json::from_str::<Value>(&newest).unwrap()["certificate"], renewed["certificate"]);
    let list = eventually("both certificates in the list", || {
        let list = tenant.admin.get(&format!("/api/v1/devices/{device}/certificates")).ok();
        (list["certificates"][1]["status"] == "renewed").then_some(list)
    });
    assert_eq!(list["certificates"][0]["serialNumber"], renewed["serialNumber"]);
}

#[test]
fn an_invalid_client_certificate_cannot_renew() {
    let (tenant, workspace) = (tenant("Invalid client certificates"), OpensslWorkspace::new());
    let (device, code) = pending_device_with_code(&tenant, "BARE-2");
    workspace.write("root.pem", &platform().root_certificate_pem);
    let csr = workspace.request("/CN=BARE-2");
    let enrolling = json!({"code": code, "serialNumber": "BARE-2", "csr": csr});
    let (_, enrolled) = post(&workspace, "/api/v1/enroll", &enrolling, &[]);
    workspace.write("device.crt", &enrolled["certificate"].text());
    workspace.write("device.key", &workspace.read("key"));
    let path = "/api/v1/enroll/renew";
    let body = json!({"csr": workspace.request("/CN=BARE-2")});
    let refused = |more: &[&str]| {
        let (status, problem) = post(&workspace, path, &body, more);
        assert_eq!(status, "401", "{problem}");
        problem["detail"].text()
    };
    assert!(refused(&[]).contains("present the device's current certificate"));
    // A certificate with the right names from another CA.
    let subject = format!("/O={}/CN={device}", tenant.organization);
    let san = format!("subjectAltName=URI:urn:argusiq:{}:{device}", tenant.organization);
    workspace.openssl(&format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout forged.key -out forged.crt \
         -subj {subject} -addext {san} -days 1"
    ));
    assert!(refused(&["--cert", "forged.crt", "--key", "forged.key"]).contains("is not signed by"));
    let revoke = json!({"reason": "lost", "code": "key_compromise"});
    tenant.admin.post(&format!("/api/v1/devices/{device}/certificate/revoke"), revoke).ok();
    assert!(refused(&["--cert", "device.crt", "--key", "device.key"]).contains("unknown or revoked"));
    let devices_url = format!("https://localhost:{}/api/v1/devices", platform().enroll_port);
    let status = curl(&workspace, &["--cacert", "root.pem", "-w", "%{http_code}", "-o", "/dev/null", &devices_url]);
    assert_eq!(status, "404", "this listener serves only enrolment");
}

#[test]
fn an_automatically_renewed_certificate_waits_until_the_device_fetches_it() {
    let (tenant, workspace) = (tenant("Automatic"), OpensslWorkspace::new());
    tenant.admin.put("/api/v1/certificates/policy", json!({"automaticRenewal": true, "overlapDays": 2})).ok();
    let (device, code) = pending_device_with_code(&tenant, "AUTO-1");
    workspace.write("root.pem", &platform().root_certificate_pem);
    let csr = workspace.request("/CN=AUTO-1");
    let enrolling = json!({"code": code, "serialNumber": "AUTO-1", "csr": csr});
    workspace.write("device.crt", &post(&workspace, "/api/v1/enroll", &enrolling, &[]).1["certificate"].text());
    let list = || tenant.admin.get(&format!("/api/v1/devices/{device}/certificates")).ok();
    let first =
        eventually("the certificate in the list", || list()["certificates"][0]["id"].as_str().map(str::to_owned));
    mark_expiring(&tenant, &first);
    let renewed = eventually("the automatic renewal", || {
        let list = list();
        (list["certificates"][1]["status"] == "renewed").then_some(list)
    });
    assert_eq!(renewed["certificates"][0]["createdBy"], "system:certificate_renewal");
    assert!(
        renewed["certificates"][1]["overlapEndsAt"].is_null(),
        "the overlap begins only when the device fetches the certificate: {}",
        renewed.text
    );
    let url = format!("https://localhost:{}/api/v1/enroll/certificate", platform().enroll_port);
    let fetched = curl(&workspace, &["--cacert", "root.pem", "--cert", "device.crt", "--key", "key", &url]);
    let fetched: Value = serde_json::from_str(&fetched).unwrap();
    assert_eq!(fetched["serialNumber"], renewed["certificates"][0]["serialNumber"]);
    workspace.write("next.crt", &fetched["certificate"].text());
    let key = |name: &str| workspace.openssl(&format!("x509 -in {name} -noout -pubkey"));
    assert_eq!(key("device.crt"), key("next.crt"));
    eventually("the start of the overlap", || list()["certificates"][1]["overlapEndsAt"].as_str().map(drop));
}

fn mark_expiring(tenant: &Tenant, certificate: &str) {
    use commands::CommandContext;
    use domain::certificate::{Certificate, CertificateCommand};
    let id: uuid::Uuid = certificate.parse().unwrap();
    let context = CommandContext::system("test", tenant.organization.parse().unwrap(), id);
    let marked = platform().commands.execute::<Certificate>(&context, id, CertificateCommand::NoteExpiring {});
    platform().runtime.block_on(marked).unwrap();
}
