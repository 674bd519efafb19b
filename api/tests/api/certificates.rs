//! Certificates: signing requests, bundles, renewal, states, lists.

use std::io::Read;

use serde_json::{Value, json};

use crate::support::mail_server::mails_for;
use crate::support::openssl_workspace::OpensslWorkspace;
use crate::support::{Tenant, Text, eventually, platform, tenant};

fn new_device(tenant: &Tenant, serial_number: &str, more: &Value) -> Value {
    let mut body = json!({"name": serial_number, "serialNumber": serial_number, "deviceTypeId": tenant.device_type()});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_certificate_is_valid_for_up_to_3650_days_as_documented() {
    let tenant = tenant("Validity");
    let kind = tenant.device_type();
    let register = |days: u32| {
        let body = json!({"name": "A", "serialNumber": "V-1", "deviceTypeId": kind, "certificateValidityDays": days});
        tenant.admin.post("/api/v1/devices", body)
    };
    assert_eq!(register(3_651).problem(422, "invalid-fields").fields(), ["certificateValidityDays"]);
    let id = register(3_650).created()["device"]["id"].text();
    let renew = |days: u32| {
        let path = format!("/api/v1/devices/{id}/certificate/renew");
        tenant.admin.post(&path, json!({"validityDays": days}))
    };
    assert_eq!(renew(3_651).problem(422, "invalid-fields").fields(), ["validityDays"]);
    renew(3_650).created();
}

#[test]
fn a_device_that_sends_a_signing_request_keeps_its_key() {
    let (tenant, workspace) = (tenant("Own keys"), OpensslWorkspace::new());
    let csr = workspace.request("/CN=CSR-1");
    let answer = tenant.admin.post("/api/v1/devices", new_device(&tenant, "CSR-1", &json!({"csr": csr}))).created();
    let (device, certificate) = (answer["device"]["id"].text(), &answer["certificate"]);
    assert!(certificate["privateKey"].is_null() && certificate["downloadUrl"].is_null(), "{}", answer.text);
    workspace.write("crt", &certificate["certificate"].text());
    let shown = workspace.openssl("x509 -in crt -noout -subject -ext subjectAltName,extendedKeyUsage -pubkey");
    let shown = shown.replace(" = ", "=");
    let uri = format!("URI:urn:argusiq:{}:{device}", tenant.organization);
    for part in [format!("CN={device}"), uri, "TLS Web Client Authentication".to_owned()] {
        assert!(shown.contains(&part), "{part} is not in {shown}");
    }
    assert!(shown.contains(&workspace.openssl("pkey -in key -pubout")), "the certificate is for another key");
    let csr = workspace.request(&format!("/CN={device}"));
    let path = format!("/api/v1/devices/{device}/certificate/renew");
    let renewed = tenant.admin.post(&path, json!({"csr": csr})).created();
    assert!(renewed["certificate"]["privateKey"].is_null());
}

#[test]
fn a_refused_signing_request_names_the_reason_and_leaves_no_device() {
    let (tenant, workspace) = (tenant("Refused requests"), OpensslWorkspace::new());
    let device = tenant.device("EXISTING");
    let mut broken = workspace.request("/CN=CSR-2").into_bytes();
    let at = broken.len() - 60;
    broken[at] = if broken[at] == b'A' { b'B' } else { b'A' };
    let cases = [
        (String::from_utf8(broken).unwrap(), "signature does not prove"),
        (workspace.request_for("rsa:2048", "/CN=CSR-2"), "RSA"),
        (workspace.request_for("ec -pkeyopt ec_paramgen_curve:secp224r1", "/CN=CSR-2"), "is not accepted"),
        (workspace.request("/CN=somebody.else"), "subject CN names \"somebody.else\""),
        (workspace.request("/O=Acme/CN=CSR-2"), "subject O names \"Acme\""),
        ("no request".to_owned(), "not a PEM certificate signing request"),
    ];
    for (csr, reason) in cases {
        let body = new_device(&tenant, "CSR-2", &json!({"csr": csr}));
        for (path, body) in [
            ("/api/v1/devices".to_owned(), body),
            (format!("/api/v1/devices/{device}/certificate/renew"), json!({"csr": csr})),
        ] {
            let refused = tenant.admin.post(&path, body).problem(422, "invalid-fields");
            assert_eq!(refused.fields(), ["csr"], "{}", refused.text);
            // A renewal does not check the serial number of the other device.
            let message = refused.text.replace("\\\"", "\"");
            assert!(message.contains(reason) || path.ends_with("renew"), "{reason} is not in {message}");
        }
    }
    let body = new_device(&tenant, "CSR-2", &json!({"csr": workspace.request("/CN=CSR-2"), "issueCertificate": false}));
    assert_eq!(tenant.admin.post("/api/v1/devices", body).problem(422, "invalid-fields").fields(), ["csr"]);
    assert_eq!(tenant.admin.get("/api/v1/devices").ok()["total"], 1);
    let certificates = tenant.admin.get(&format!("/api/v1/devices/{device}/certificates")).ok();
    assert_eq!(certificates["certificates"].as_array().unwrap().len(), 1);
}

/// Returns status, content type and body of a URL.
fn fetch(path: &str) -> (u16, Option<String>, Vec<u8>) {
    let url = format!("http://{}{path}", platform().address);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent.get(&url).call().unwrap();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let mut body = Vec::new();
    answer.body_mut().as_reader().read_to_end(&mut body).unwrap();
    (answer.status().as_u16(), kind, body)
}

#[test]
fn a_bundle_of_four_files_can_be_fetched_once() {
    let tenant = tenant("Bundles");
    let answer = tenant.admin.post("/api/v1/devices", new_device(&tenant, "B-1", &json!({}))).created();
    let certificate = &answer["certificate"];
    let url = certificate["downloadUrl"].text();
    let (status, kind, body) = fetch(&url);
    assert_eq!((status, kind.as_deref()), (200, Some("application/zip")));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(body)).unwrap();
    let names: Vec<String> =
        (0..archive.len()).map(|at| archive.by_index(at).unwrap().name().unwrap().into_owned()).collect();
    assert_eq!(names, ["device.crt", "device.key", "ca.crt", "config.json"]);
    let mut content = |name: &str| {
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    assert_eq!(content("device.crt"), certificate["chain"].text());
    assert_eq!(content("device.key"), certificate["privateKey"].text());
    assert_eq!(content("ca.crt"), platform().root_certificate_pem);
    let configuration: Value = serde_json::from_str(&content("config.json")).unwrap();
    assert_eq!(configuration["mqtt"]["clientId"], answer["device"]["id"]);
    let second = platform().anonymous().get(&url).problem(410, "gone");
    assert!(!second.text.contains("PRIVATE KEY"));
    let without_link =
        tenant.admin.post("/api/v1/devices", new_device(&tenant, "B-2", &json!({"downloadLink": false})));
    assert!(without_link.created()["certificate"]["downloadUrl"].is_null());
}

#[test]
fn a_bundle_is_found_only_by_its_own_token_and_device() {
    let tenant = tenant("Tokens of bundles");
    let answer = tenant.admin.post("/api/v1/devices", new_device(&tenant, "B-3", &json!({}))).created();
    let (device, url) = (answer["device"]["id"].text(), answer["certificate"]["downloadUrl"].text());
    let other = tenant.device("B-4");
    let token = url.rsplit('/').next().unwrap();
    let anonymous = platform().anonymous();
    // Base64url of 32 bytes ends in one of 16 letters, so a fixed letter would be the right one at times.
    let last = if token.ends_with('A') { 'E' } else { 'A' };
    let changed = format!("{}{last}", &token[..token.len() - 1]);
    let bundle = |device: &str, token: &str| format!("/api/v1/devices/{device}/certificate/bundle/{token}");
    anonymous.get(&bundle(&other, token)).problem(404, "not-found");
    for wrong in ["x", &token[1..], &changed, "..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "a%2fb"] {
        assert_eq!(anonymous.get(&bundle(&device, wrong)).status, 404, "{wrong}");
    }
    anonymous.get(&format!("/api/v1/devices/{device}/certificate/download?token=..%2Fx")).problem(404, "not-found");
    anonymous.get(&format!("/api/v1/devices/{device}/certificate/download")).problem(400, "invalid-parameters");
    let (status, ..) = fetch(&format!("/api/v1/devices/{device}/certificate/download?token={token}"));
    assert_eq!(status, 200);
    anonymous.get(&url).problem(410, "gone");
}

#[test]
fn a_renewed_certificate_stays_valid_for_the_overlap() {
    let tenant = tenant("Overlaps");
    let device = tenant.device("O-1");
    let path = format!("/api/v1/devices/{device}/certificate");
    let list = || tenant.admin.get(&format!("/api/v1/devices/{device}/certificates")).ok();
    tenant.admin.put("/api/v1/certificates/policy", json!({"overlapDays": 3})).ok();
    let renewed = tenant.admin.post(&format!("{path}/renew"), json!({})).created();
    let certificates = list();
    assert_eq!(certificates["status"], "active");
    let old = &certificates["certificates"][1];
    assert_eq!((&old["status"], &old["successorId"]), (&json!("renewed"), &renewed["certificate"]["id"]));
    let time = |value: &Value| value.text().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let overlap = (time(&old["overlapEndsAt"]) - time(&old["renewedAt"])).num_seconds();
    assert!((3 * 86_400 - 60..=3 * 86_400).contains(&overlap), "{overlap} s");
    let states: Vec<String> = old["history"].as_array().unwrap().iter().map(|step| step["state"].text()).collect();
    assert_eq!(states, ["active", "renewed"]);
    // Without an overlap the previous certificate ends at once.
    tenant.admin.post(&format!("{path}/renew"), json!({"overlapDays": 0})).created();
    let certificates = eventually("the end of the previous certificate", || {
        let certificates = list();
        (certificates["certificates"][1]["status"] == "revoked").then_some(certificates)
    });
    assert_eq!(certificates["certificates"][1]["revokedCode"], "superseded");
    let refused = tenant.admin.post(&format!("{path}/renew"), json!({"overlapDays": 366}));
    assert_eq!(refused.problem(422, "invalid-fields").fields(), ["overlapDays"]);
}

#[test]
fn one_certificate_can_be_revoked_without_the_others() {
    let (tenant, other_tenant) = (tenant("One of many"), tenant("Another"));
    let device = tenant.device("ONE-1");
    let path = format!("/api/v1/devices/{device}/certificate");
    let newest = tenant.admin.post(&format!("{path}/renew"), json!({})).created();
    let one = json!({"reason": "left on a train", "code": "privilege_withdrawn",
        "certificateId": newest["certificate"]["id"]});
    tenant.admin.post(&format!("{path}/revoke"), one.clone()).ok();
    let list = tenant.admin.get(&format!("/api/v1/devices/{device}/certificates")).ok();
    let statuses: Vec<String> =
        list["certificates"].as_array().unwrap().iter().map(|certificate| certificate["status"].text()).collect();
    assert_eq!(statuses, ["revoked", "renewed"]);
    assert_eq!(list["certificates"][0]["revokedReason"], "left on a train");
    let other = tenant.device("ONE-2");
    tenant.admin.post(&format!("/api/v1/devices/{other}/certificate/revoke"), one.clone()).problem(404, "not-found");
    other_tenant.admin.post(&format!("{path}/revoke"), one).problem(404, "not-found");
    let nonsense = json!({"reason": "x", "code": "because"});
    assert_eq!(
        tenant.admin.post(&format!("{path}/revoke"), nonsense).problem(422, "invalid-fields").fields(),
        ["code"]
    );
}

#[test]
fn the_policy_is_changed_field_by_field_and_checked() {
    let (tenant, other_tenant) = (tenant("Policy"), tenant("Other policy"));
    let path = "/api/v1/certificates/policy";
    let default_policy = json!({"overlapDays": 7, "noticeDays": 30, "automaticRenewal": false});
    let policy = |tenant: &crate::support::Tenant| {
        let mut shown = tenant.admin.get(path).ok().json;
        assert!(shown["version"].as_i64() > Some(0));
        shown.as_object_mut().unwrap().remove("version");
        shown
    };
    assert_eq!(policy(&tenant), default_policy);
    tenant.admin.put(path, json!({"automaticRenewal": true})).ok();
    let changed = json!({"overlapDays": 7, "noticeDays": 30, "automaticRenewal": true});
    assert_eq!(policy(&tenant), changed);
    for (field, days) in [("overlapDays", 366), ("noticeDays", 0), ("noticeDays", 366)] {
        let refused = tenant.admin.put(path, json!({field: days})).problem(422, "invalid-fields");
        assert_eq!(refused.fields(), [field]);
    }
    assert_eq!(policy(&other_tenant), default_policy);
}

#[test]
fn certificates_valid_at_a_time_are_listed_across_pages() {
    let tenant = tenant("Who could connect");
    let devices: Vec<String> = (0..3).map(|n| tenant.device(&format!("W-{n}"))).collect();
    let ids = |query: &str| -> Vec<String> {
        let list = tenant.admin.get(&format!("/api/v1/certificates?{query}")).ok();
        list["certificates"].as_array().unwrap().iter().map(|certificate| certificate["deviceId"].text()).collect()
    };
    let newest_first: Vec<String> = devices.iter().rev().cloned().collect();
    eventually("all certificates in the list", || (ids("") == newest_first).then_some(()));
    let before = tenant.admin.get("/api/v1/certificates?limit=1").ok();
    let before_revocation = before["certificates"][0]["createdAt"].text();
    let revoked = tenant.admin.post(
        &format!("/api/v1/devices/{}/certificate/revoke", devices[0]),
        json!({"reason": "stolen", "code": "key_compromise"}),
    );
    let revoked_at = revoked.ok()["revokedAt"].text();
    assert_eq!(ids(&format!("validAt={before_revocation}")), newest_first);
    assert_eq!(ids(&format!("validAt={revoked_at}")), newest_first[..2]);
    assert_eq!(ids("validAt=2020-01-01T00:00:00Z"), Vec::<String>::new());
    assert_eq!(ids("status=revoked"), devices[..1]);
    assert_eq!(ids(&format!("deviceId={}", devices[1])), devices[1..2]);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let part = tenant.admin.get(&format!("/api/v1/certificates?limit=2{cursor}")).ok();
        seen.extend(part["certificates"].as_array().unwrap().iter().map(|certificate| certificate["deviceId"].text()));
        let Some(next) = part["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, newest_first);
    for (query, field) in
        [("limit=0", "limit"), ("status=x", "status"), ("cursor=x", "cursor"), ("validAt=x", "validAt")]
    {
        let refused = tenant.admin.get(&format!("/api/v1/certificates?{query}")).problem(400, "invalid-parameters");
        assert_eq!(refused.fields(), [field]);
    }
}

#[test]
fn only_administrators_are_mailed_once_about_an_expiring_certificate() {
    use commands::CommandContext;
    use domain::certificate::{Certificate, CertificateCommand};
    let tenant = tenant("Expiry mails");
    let viewer = tenant.user_with_role("viewer");
    let device = tenant.device("MAIL-1");
    let address = |client: &crate::support::Client| client.get("/api/v1/auth/me").ok()["email"].text();
    let (admin, viewer) = (address(&tenant.admin), address(&viewer));
    let list = || tenant.admin.get(&format!("/api/v1/devices/{device}/certificates")).ok();
    let id: uuid::Uuid =
        eventually("the certificate in the list", || list()["certificates"][0]["id"].as_str()?.parse().ok());
    let organization = tenant.organization.parse().unwrap();
    let context = CommandContext::system("test", organization, id);
    let marked = platform().commands.execute::<Certificate>(&context, id, CertificateCommand::NoteExpiring {});
    platform().runtime.block_on(marked).unwrap();
    let mail = mail(&admin);
    assert!(mail.contains("MAIL-1") && mail.contains("is expiring"), "{mail}");
    assert_eq!((mails_for(&admin).len(), mails_for(&viewer).len()), (1, 0));
    let again = platform().commands.claim_expiry_announcement(organization, id.into(), 1);
    assert!(!platform().runtime.block_on(again).unwrap(), "a second process would send the mail again");
    assert_eq!(list()["certificates"][0]["status"], "expiring");
}

/// Waits for the first mail to an address: the platform checks every ten seconds.
fn mail(address: &str) -> String {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(40);
    loop {
        if let Some(mail) = mails_for(address).first() {
            return mail.text.clone();
        }
        assert!(std::time::Instant::now() < until, "no mail arrived");
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
}
