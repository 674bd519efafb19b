//! Devices that use only the `openssl` and `curl` commands, so that certificates are judged by code that is not ours.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::openssl_workspace::OpensslWorkspace;
use crate::support::{Tenant, Text, eventually, platform, tenant};

/// Fetches a file with curl, which must succeed.
#[track_caller]
fn curl(workshop: &OpensslWorkspace, arguments: &[&str]) -> String {
    let run =
        Command::new("curl").current_dir(workshop.path()).args(["-sS", "--max-time", "20"]).args(arguments).output();
    let output = run.expect("these tests need the curl command: apt-get install curl");
    let text = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
    assert!(output.status.success(), "curl {arguments:?}: {text}");
    text
}

/// Downloads the published chain and revocation lists next to a device's certificate.
fn fetch_lists(workshop: &OpensslWorkspace, organization: &str) {
    let address = &platform().address;
    let get = |path: &str, name: &str| curl(workshop, &["-f", "-o", name, &format!("http://{address}/pki/{path}")]);
    get(&format!("{organization}/ca.pem"), "chain.pem");
    get("ca.pem", "root.pem");
    get(&format!("{organization}/crl.pem"), "crl.pem");
    get(&format!("{organization}/crl.der"), "crl.der");
    get("crl.pem", "root-crl.pem");
    let lists = workshop.read("crl.pem") + &workshop.read("root-crl.pem");
    workshop.write("lists.pem", &lists);
}

fn number(workshop: &OpensslWorkspace) -> u64 {
    let shown = workshop.openssl("crl -in crl.pem -noout -crlnumber");
    u64::from_str_radix(shown.trim().trim_start_matches("crlNumber=").trim_start_matches("0x"), 16).unwrap()
}

#[test]
fn openssl_accepts_a_fresh_certificate_against_the_published_lists_and_refuses_a_revoked_one() {
    let (tenant, workshop) = (tenant("Judged by openssl"), OpensslWorkspace::new());
    let body = json!({"name": "A", "serialNumber": "OSSL-1", "deviceTypeId": tenant.device_type()});
    let created = tenant.admin.post("/api/v1/devices", body).created();
    let (id, certificate) = (created["device"]["id"].text(), &created["certificate"]);
    workshop.write("device.pem", &certificate["certificate"].text());
    let verify = |all: &str| {
        let command = format!(
            "verify -x509_strict -purpose sslclient {all} -CRLfile lists.pem -CAfile root.pem -untrusted chain.pem device.pem"
        );
        let output = workshop.try_openssl(&command);
        let text = String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap();
        (output.status.success(), text)
    };
    fetch_lists(&workshop, &tenant.organization);
    for all in ["-crl_check", "-crl_check_all"] {
        assert!(verify(all).0, "{}", verify(all).1);
    }
    let before = number(&workshop);
    assert_eq!(
        workshop.openssl("crl -inform DER -in crl.der"),
        workshop.openssl("crl -in crl.pem"),
        "one list, two forms"
    );
    let reason = json!({"reason": "stolen", "code": "key_compromise"});
    tenant.admin.post(&format!("/api/v1/devices/{id}/certificate/revoke"), reason).ok();
    fetch_lists(&workshop, &tenant.organization);
    let (accepted, text) = verify("-crl_check");
    assert!(!accepted && text.contains("certificate revoked"), "{text}");
    assert!(number(&workshop) > before);
    let shown = workshop.openssl("crl -in crl.pem -noout -text");
    let serial = certificate["serialNumber"].text().to_uppercase();
    for part in ["Last Update", "Next Update", "X509v3 CRL Number", "Key Compromise", serial.as_str()] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let twice = workshop.read("crl.pem");
    fetch_lists(&workshop, &tenant.organization);
    assert_eq!(workshop.read("crl.pem"), twice, "one CRL number, one list");
    platform().anonymous().get(&format!("/pki/{}/crl.pem", uuid::Uuid::nil())).problem(404, "not-found");
}

/// Posts JSON to the enrolment listener with curl; returns status and response.
#[track_caller]
fn post(workshop: &OpensslWorkspace, path: &str, body: &Value, more: &[&str]) -> (String, Value) {
    workshop.write("body.json", &body.to_string());
    let url = format!("https://localhost:{}{path}", platform().enroll_port);
    let usual = ["--cacert", "root.pem", "-H", "content-type: application/json", "--data-binary", "@body.json"];
    let told = curl(workshop, &[&usual[..], &["-w", "\n%{http_code}"], more, &[&url]].concat());
    let (body, status) = told.rsplit_once('\n').unwrap();
    (status.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null))
}

fn claimed(tenant: &Tenant, serial_number: &str) -> (String, String) {
    let body = json!({"name": serial_number, "serialNumber": serial_number, "deviceTypeId": tenant.device_type(),
        "issueCertificate": false});
    let device = tenant.admin.post("/api/v1/devices", body).created()["device"]["id"].text();
    let code = tenant.admin.post(&format!("/api/v1/devices/{device}/claim-code"), json!({})).created()["code"].text();
    (device, code)
}

#[test]
fn openssl_and_curl_alone_claim_enrol_and_renew() {
    let (tenant, workshop) = (tenant("Bare hands"), OpensslWorkspace::new());
    let (device, code) = claimed(&tenant, "BARE-1");
    workshop.write("root.pem", &platform().root_certificate_pem);
    let csr = workshop.request("/CN=BARE-1");
    let (status, enrolled) =
        post(&workshop, "/api/v1/enroll", &json!({"code": code, "serialNumber": "BARE-1", "csr": csr}), &[]);
    assert_eq!((status.as_str(), &enrolled["deviceId"]), ("201", &json!(device)), "{enrolled}");
    workshop.write("chain.crt", &enrolled["chain"].text());
    workshop.write("old.key", &workshop.read("key"));
    let with_old = ["--cert", "chain.crt", "--key", "old.key"];
    let csr = workshop.request(&format!("/CN={device}"));
    let body = json!({ "csr": csr });
    let (status, renewed) = post(&workshop, "/api/v1/enroll/renew", &body, &with_old);
    assert_eq!(status, "201", "{renewed}");
    assert_ne!(renewed["serialNumber"], enrolled["serialNumber"]);
    assert_eq!(post(&workshop, "/api/v1/enroll/renew", &body, &with_old).1["certificate"], renewed["certificate"]);
    // The new certificate works too, and returns itself as the newest.
    workshop.write("new.crt", &renewed["certificate"].text());
    let url = format!("https://localhost:{}/api/v1/enroll/certificate", platform().enroll_port);
    let newest = curl(&workshop, &["--cacert", "root.pem", "--cert", "new.crt", "--key", "key", &url]);
    assert_eq!(serde_json::from_str::<Value>(&newest).unwrap()["certificate"], renewed["certificate"]);
    let list = eventually("both certificates", || {
        let list = tenant.admin.get(&format!("/api/v1/devices/{device}/certificates")).ok();
        (list["certificates"][1]["status"] == "renewed").then_some(list)
    });
    assert_eq!(list["certificates"][0]["serialNumber"], renewed["serialNumber"]);
}

#[test]
fn an_invalid_client_certificate_cannot_renew() {
    let (tenant, workshop) = (tenant("Not theirs"), OpensslWorkspace::new());
    let (device, code) = claimed(&tenant, "BARE-2");
    workshop.write("root.pem", &platform().root_certificate_pem);
    let csr = workshop.request("/CN=BARE-2");
    let enrolling = json!({"code": code, "serialNumber": "BARE-2", "csr": csr});
    let (_, enrolled) = post(&workshop, "/api/v1/enroll", &enrolling, &[]);
    workshop.write("device.crt", &enrolled["certificate"].text());
    workshop.write("device.key", &workshop.read("key"));
    let path = "/api/v1/enroll/renew";
    let body = json!({"csr": workshop.request("/CN=BARE-2")});
    let refused = |more: &[&str]| {
        let (status, problem) = post(&workshop, path, &body, more);
        assert_eq!(status, "401", "{problem}");
        problem["detail"].text()
    };
    assert!(refused(&[]).contains("present the device's current certificate"));
    // A certificate with the right names from another CA.
    let subject = format!("/O={}/CN={device}", tenant.organization);
    let san = format!("subjectAltName=URI:urn:argusiq:{}:{device}", tenant.organization);
    workshop.openssl(&format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout forged.key -out forged.crt -subj {subject} \
         -addext {san} -days 1"
    ));
    assert!(refused(&["--cert", "forged.crt", "--key", "forged.key"]).contains("is not signed by"));
    let revoke = json!({"reason": "lost", "code": "key_compromise"});
    tenant.admin.post(&format!("/api/v1/devices/{device}/certificate/revoke"), revoke).ok();
    assert!(refused(&["--cert", "device.crt", "--key", "device.key"]).contains("unknown or revoked"));
    let elsewhere = format!("https://localhost:{}/api/v1/devices", platform().enroll_port);
    let told = curl(&workshop, &["--cacert", "root.pem", "-w", "%{http_code}", "-o", "/dev/null", &elsewhere]);
    assert_eq!(told, "404", "only enrolment is served here");
}

#[test]
fn an_automatically_renewed_certificate_waits_until_the_device_fetches_it() {
    let (tenant, workshop) = (tenant("Automatic"), OpensslWorkspace::new());
    tenant.admin.put("/api/v1/certificates/policy", json!({"automaticRenewal": true, "overlapDays": 2})).ok();
    let (device, code) = claimed(&tenant, "AUTO-1");
    workshop.write("root.pem", &platform().root_certificate_pem);
    let csr = workshop.request("/CN=AUTO-1");
    let enrolling = json!({"code": code, "serialNumber": "AUTO-1", "csr": csr});
    workshop.write("device.crt", &post(&workshop, "/api/v1/enroll", &enrolling, &[]).1["certificate"].text());
    let list = || tenant.admin.get(&format!("/api/v1/devices/{device}/certificates")).ok();
    let first = eventually("the certificate", || list()["certificates"][0]["id"].as_str().map(str::to_owned));
    note_expiring(&tenant, &first);
    let renewed = eventually("the renewal", || {
        let list = list();
        (list["certificates"][1]["status"] == "renewed").then_some(list)
    });
    assert_eq!(renewed["certificates"][0]["createdBy"], "system:certificate_renewal");
    assert!(renewed["certificates"][1]["overlapEndsAt"].is_null(), "it waits: {}", renewed.text);
    let url = format!("https://localhost:{}/api/v1/enroll/certificate", platform().enroll_port);
    let fetched = curl(&workshop, &["--cacert", "root.pem", "--cert", "device.crt", "--key", "key", &url]);
    let fetched: Value = serde_json::from_str(&fetched).unwrap();
    assert_eq!(fetched["serialNumber"], renewed["certificates"][0]["serialNumber"]);
    workshop.write("next.crt", &fetched["certificate"].text());
    let key = |name: &str| workshop.openssl(&format!("x509 -in {name} -noout -pubkey"));
    assert_eq!(key("device.crt"), key("next.crt"));
    eventually("the overlap begins", || list()["certificates"][1]["overlapEndsAt"].as_str().map(drop));
}

fn note_expiring(tenant: &Tenant, certificate: &str) {
    use commands::CommandContext;
    use domain::certificate::{Certificate, CertificateCommand};
    let id: uuid::Uuid = certificate.parse().unwrap();
    let context = CommandContext::system("test", tenant.organization.parse().unwrap(), id);
    let noted = platform().commands.execute::<Certificate>(&context, id, CertificateCommand::NoteExpiring {});
    platform().runtime.block_on(noted).unwrap();
}
