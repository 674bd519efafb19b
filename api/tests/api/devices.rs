//! Devices and their certificates.

use serde_json::{Value, json};

use crate::support::{Text, platform, tenant};

#[test]
fn a_device_is_registered_with_a_certificate_and_shown_at_once() {
    let tenant = tenant("Devices");
    let kind = tenant.device_type();
    let body = json!({"name": " Sensor A ", "serialNumber": "SN-001", "deviceTypeId": kind,
        "description": "by the door", "customAttributes": {"floor": 2}, "certificateValidityDays": 30});
    let answer = tenant.admin.post("/api/v1/devices", body).created();
    let device = &answer["device"];
    assert_eq!((device["name"].text(), device["status"].text()), ("Sensor A".to_owned(), "active".to_owned()));
    assert_eq!(
        (device["connectivityStatus"].text(), &device["customAttributes"]),
        ("unknown".to_owned(), &json!({"floor": 2}))
    );
    assert_eq!(
        (device["deviceTypeName"].text(), device["organizationId"].text()),
        ("Sensor".to_owned(), tenant.organization.clone())
    );
    let certificate = &answer["certificate"];
    assert!(certificate["certificate"].text().starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(certificate["privateKey"].text().starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(certificate["chain"].text().matches("BEGIN CERTIFICATE").count(), 2);
    let days = |name: &str| certificate[name].text().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!((days("validUntil") - days("validFrom")).num_days(), 30);
    assert!(answer.header("x-log-position").unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(answer.header("x-log-stream"), Some("ES"));

    let id = device["id"].text();
    assert_eq!(&tenant.admin.get(&format!("/api/v1/devices/{id}")).ok()["device"], device);
    let listed = tenant.admin.get("/api/v1/devices?status=active&text=sn-0&connectivity=unknown").ok();
    assert_eq!((&listed["devices"], &listed["total"]), (&json!([device]), &json!(1)));
    for filter in [
        "status=decommissioned",
        "text=other",
        "connectivity=online",
        "deviceTypeId=00000000-0000-0000-0000-000000000001",
    ] {
        assert_eq!(tenant.admin.get(&format!("/api/v1/devices?{filter}")).ok()["total"], 0, "{filter}");
    }
    let certificates = tenant.admin.get(&format!("/api/v1/devices/{id}/certificates")).ok();
    assert_eq!(certificates["certificates"][0]["serialNumber"], certificate["serialNumber"]);
    assert_eq!(certificates["certificates"][0]["status"], "active");
}

#[test]
fn a_repeated_request_returns_the_same_device_without_its_private_key() {
    let tenant = tenant("Repeats");
    let body = json!({"name": "A", "serialNumber": "R-1", "deviceTypeId": tenant.device_type()});
    let key = [("Idempotency-Key", "once")];
    let first = tenant.admin.post_with("/api/v1/devices", body.clone(), &key).created();
    let again = tenant.admin.post_with("/api/v1/devices", body.clone(), &key).created();
    assert_eq!(first["device"]["id"], again["device"]["id"]);
    assert_eq!(first["certificate"]["serialNumber"], again["certificate"]["serialNumber"]);
    assert!(first["certificate"]["privateKey"].is_string() && again["certificate"]["privateKey"].is_null());
    assert_eq!(first.header("x-log-position"), again.header("x-log-position"));
    tenant.admin.post_with("/api/v1/devices", body, &[("Idempotency-Key", "twice")]).problem(409, "already-exists");
    assert_eq!(tenant.admin.get("/api/v1/devices").ok()["total"], 1);
}

#[test]
fn invalid_fields_of_a_device_are_named() {
    let tenant = tenant("Wrong devices");
    let kind = tenant.device_type();
    let refused = |body: Value| tenant.admin.post("/api/v1/devices", body).problem(422, "invalid-fields").fields();
    assert_eq!(refused(json!({})), ["name", "serialNumber", "deviceTypeId"]);
    assert_eq!(refused(json!({"name": 1, "serialNumber": "X", "deviceTypeId": "no"})), ["name", "deviceTypeId"]);
    let unknown =
        json!({"name": "A", "serialNumber": "X", "deviceTypeId": kind, "colour": "red", "descripton": "typo"});
    assert_eq!(refused(unknown), ["colour", "descripton"]);
    assert_eq!(refused(json!({"nmae": "A", "serialNumber": "X"})), ["name", "deviceTypeId", "nmae"]);
    assert_eq!(refused(json!({"name": " ", "serialNumber": "X", "deviceTypeId": kind})), ["name"]);
    assert_eq!(refused(json!({"name": "A", "serialNumber": "", "deviceTypeId": kind})), ["serialNumber"]);
    let days = json!({"name": "A", "serialNumber": "X", "deviceTypeId": kind, "certificateValidityDays": 0});
    assert_eq!(refused(days), ["certificateValidityDays"]);
    let unknown = json!({"name": "A", "serialNumber": "X", "deviceTypeId": uuid::Uuid::from_u128(9)});
    let answer = tenant.admin.post("/api/v1/devices", unknown).problem(422, "unknown-reference");
    assert_eq!(answer.fields(), ["deviceTypeId"]);
    assert_eq!(tenant.admin.get("/api/v1/devices").ok()["total"], 0);
}

#[test]
fn the_history_of_a_device_names_the_author_of_each_change() {
    let tenant = tenant("History");
    let id = tenant.device("H-1");
    let path = format!("/api/v1/devices/{id}");
    let changed = tenant.admin.put(&path, json!({"name": "Renamed", "customAttributes": {"a": 1}})).ok();
    assert_eq!(
        (changed["device"]["name"].text(), &changed["device"]["customAttributes"]),
        ("Renamed".to_owned(), &json!({"a": 1}))
    );
    assert_eq!(tenant.admin.put(&path, json!({})).ok()["device"]["version"], changed["device"]["version"]);
    tenant.admin.post(&format!("{path}/certificate/revoke"), json!({"reason": "lost", "code": "key_compromise"})).ok();
    let me = tenant.admin.get("/api/v1/auth/me").ok()["id"].text();
    let history = crate::support::eventually("all five events in the history", || {
        let history = tenant.admin.get(&format!("{path}/history")).ok();
        (history["total"] == 5).then_some(history)
    });
    let events = history["events"].as_array().unwrap();
    let kinds: Vec<String> = events.iter().map(|event| event["eventType"].text()).collect();
    let expected =
        ["CertificateRevoked", "DeviceAttributesChanged", "DeviceRenamed", "CertificateIssued", "DeviceRegistered"];
    assert_eq!(kinds, expected);
    assert!(events.iter().all(|event| event["actor"] == format!("user:{me}")), "{}", history.text);
    assert_eq!(events[1]["correlationId"], events[2]["correlationId"]);
    assert_eq!(events[2]["payload"], json!({"name": "Renamed"}));
    assert_eq!(events[2]["changes"], json!([{"field": "name", "before": "H-1", "after": "Renamed"}]));
    let part = tenant.admin.get(&format!("{path}/history?limit=2&offset=3")).ok();
    assert_eq!((part["events"].as_array().unwrap().len(), &part["total"]), (2, &json!(5)));
}

#[test]
fn certificates_are_renewed_and_revoked_and_end_with_the_device() {
    let tenant = tenant("Certificates");
    let id = tenant.device("C-1");
    let path = format!("/api/v1/devices/{id}");
    let statuses = || -> Vec<String> {
        let list = tenant.admin.get(&format!("{path}/certificates")).ok();
        list["certificates"].as_array().unwrap().iter().map(|certificate| certificate["status"].text()).collect()
    };
    let renewed = tenant.admin.post(&format!("{path}/certificate/renew"), json!({"validityDays": 10})).created();
    assert!(renewed["certificate"]["privateKey"].is_string());
    assert_eq!(statuses(), ["active", "renewed"]);
    let revoked = tenant.admin.post(&format!("{path}/certificate/revoke"), json!({"reason": "Device replaced"})).ok();
    assert!(revoked["success"] == true && revoked["revokedAt"].is_string(), "{}", revoked.text);
    assert_eq!(statuses(), ["revoked", "revoked"]);
    let again = tenant.admin.post(&format!("{path}/certificate/revoke"), json!({"reason": "Device replaced"})).ok();
    assert_eq!(again["revokedAt"], revoked["revokedAt"]);
    tenant.admin.post(&format!("{path}/certificate/renew"), json!({})).created();
    let ended = tenant.admin.post(&format!("{path}/decommission"), json!({"reason": "scrapped"})).ok();
    assert_eq!(
        (ended["device"]["status"].text(), ended["device"]["decommissionReason"].text()),
        ("decommissioned".to_owned(), "scrapped".to_owned())
    );
    crate::support::eventually("the revocation of all three certificates", || {
        (statuses() == ["revoked"; 3]).then_some(())
    });
    tenant.admin.post(&format!("{path}/certificate/renew"), json!({})).problem(409, "wrong-state");
    tenant.admin.put(&path, json!({"name": "Ghost"})).problem(409, "wrong-state");
}

#[test]
fn a_device_is_replaced_and_keeps_its_links_and_its_history() {
    let tenant = tenant("Replacing");
    let (id, asset) = (tenant.device("SN-OLD"), tenant.asset("Boiler"));
    let path = format!("/api/v1/devices/{id}");
    tenant.admin.post(&format!("{path}/assets/{asset}/link"), json!({})).created();
    tenant.admin.post(&format!("{path}/tokens"), json!({"validityDays": 1})).created();
    let replace = |body| tenant.admin.post(&format!("{path}/replace"), body);
    let replaced = replace(json!({"serialNumber": "SN-NEW", "reason": "worn"})).ok();
    assert_eq!((replaced["device"]["id"].text(), replaced["device"]["serialNumber"].text()), (id, "SN-NEW".to_owned()));
    assert!(replaced["certificate"]["privateKey"].is_string() && replaced.header("etag").is_some());
    crate::support::eventually("the revocation of the old certificate", || {
        let list = tenant.admin.get(&format!("{path}/certificates")).ok();
        let states = list["certificates"].as_array().unwrap().iter().map(|one| one["status"].text());
        (states.collect::<Vec<_>>() == ["active", "revoked"]).then_some(())
    });
    let tokens = tenant.admin.get(&format!("{path}/tokens")).ok();
    assert_eq!(tokens["tokens"][0]["status"].text(), "revoked", "{}", tokens.text);
    let assets = tenant.admin.get(&format!("{path}/assets")).ok();
    assert_eq!(assets["assets"][0]["name"].text(), "Boiler");
    let history = tenant.admin.get(&format!("{path}/history")).ok();
    assert!(history.text.contains("DeviceReplaced") && history.text.contains("DeviceRegistered"), "{}", history.text);
    // The old serial number is free, the new one is not.
    tenant.device("SN-OLD");
    replace(json!({"serialNumber": "SN-OLD", "reason": "x"})).problem(409, "already-exists");
    for (body, field) in [
        (json!({"serialNumber": "SN-NEW", "reason": "x"}), "serialNumber"),
        (json!({"serialNumber": "", "reason": "x"}), "serialNumber"),
        (json!({"serialNumber": "SN-3", "reason": ""}), "reason"),
        (json!({"serialNumber": "SN-3", "reason": "x", "csr": "x"}), "csr"),
        (json!({"serialNumber": "SN-3", "reason": "x", "csr": "x", "issueCertificate": false}), "csr"),
    ] {
        let refused = replace(body.clone()).problem(422, "invalid-fields");
        assert_eq!(refused["errors"][0]["field"].text(), field, "{body}");
    }
}

#[test]
fn trust_anchors_are_public() {
    let tenant = tenant("Anchors");
    let anonymous = platform().anonymous();
    let root = anonymous.get("/pki/ca.pem").ok().text;
    assert_eq!(root.matches("BEGIN CERTIFICATE").count(), 1);
    let chain = anonymous.get(&format!("/pki/{}/ca.pem", tenant.organization)).ok().text;
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(chain.ends_with(&root));
    anonymous.get(&format!("/pki/{}/ca.pem", uuid::Uuid::nil())).problem(404, "not-found");
}

#[test]
fn device_types_are_revised_and_retired() {
    let tenant = tenant("Types");
    let id = tenant.device_type();
    let path = format!("/api/v1/device-types/{id}");
    let body = json!({"name": "Sensor 2", "unknownMetrics": "refuse",
        "metrics": [{"key": "humidity", "kind": "number", "minimum": 0.0, "maximum": 100.0, "required": true}]});
    let revised = tenant.admin.put(&path, body).ok();
    assert_eq!(revised["deviceType"]["metrics"][0]["maximum"], 100.0);
    assert_eq!(tenant.admin.get(&path).ok().json, revised.json);
    let twice = json!({"name": "S", "metrics": [{"key": "a"}, {"key": "a"}]});
    assert_eq!(tenant.admin.put(&path, twice).problem(422, "invalid-fields").fields(), ["metrics"]);
    tenant.admin.delete(&path).ok();
    tenant.admin.delete(&path).ok();
    assert_eq!(tenant.admin.get("/api/v1/device-types").ok()["total"], 0);
    assert_eq!(tenant.admin.get("/api/v1/device-types?retired=true").ok()["total"], 1);
    let device = json!({"name": "A", "serialNumber": "T-1", "deviceTypeId": id});
    tenant.admin.post("/api/v1/devices", device).problem(422, "unknown-reference");
}

#[test]
fn devices_are_listed_in_other_orders_and_by_a_custom_attribute() {
    let tenant = tenant("Orders");
    let kind = tenant.device_type();
    for (name, serial, floor) in [("B", "O-1", "3"), ("C", "O-3", "4"), ("A", "O-2", "3")] {
        let body = json!({"name": name, "serialNumber": serial, "deviceTypeId": kind,
            "customAttributes": {"floor": floor, "room:door": "a:b"}});
        tenant.admin.post("/api/v1/devices", body).created();
    }
    let names = |query: &str| {
        let list = tenant.admin.get(&format!("/api/v1/devices?{query}")).ok();
        list["devices"].as_array().unwrap().iter().map(|device| device["name"].text()).collect::<String>()
    };
    for (query, expected) in [
        ("", "ABC"),
        ("descending=true", "CBA"),
        ("sort=serialNumber", "BAC"),
        ("sort=createdAt", "BCA"),
        ("sort=updatedAt&descending=true", "ACB"),
        ("attribute=floor:3", "AB"),
        ("attribute=floor:5", ""),
        ("attribute=room:door:a:b", ""),
        ("attribute=floor:4&sort=serialNumber", "C"),
    ] {
        assert_eq!(names(query), expected, "{query}");
    }
    let first = tenant.admin.get("/api/v1/devices?sort=createdAt&descending=true&limit=2").ok();
    assert_eq!(names(&format!("sort=createdAt&descending=true&cursor={}", first["nextCursor"].text())), "B");
    for wrong in ["attribute=floor", "attribute=:3", "sort=colour", "descending=perhaps"] {
        tenant.admin.get(&format!("/api/v1/devices?{wrong}")).problem(400, "invalid-parameters");
    }
    let other = format!("/api/v1/devices?sort=name&cursor={}", first["nextCursor"].text());
    tenant.admin.get(&other).problem(400, "invalid-parameters");
}

#[test]
fn a_decommissioned_devices_serial_number_can_be_used_again() {
    let tenant = tenant("Second life");
    let old = tenant.device("SN-1");
    let path = format!("/api/v1/devices/{old}");
    let register = |serial_number: &str| {
        let body = json!({"name": "N", "serialNumber": serial_number, "deviceTypeId": tenant.device_type()});
        tenant.admin.post("/api/v1/devices", body)
    };
    let import = |serial_number: &str| {
        let query = format!("/api/v1/devices/import?deviceTypeId={}", tenant.device_type());
        let file = format!("serialNumber\n{serial_number}\n");
        tenant.admin.send("POST", &query, Some(&file), &[("Content-Type", "text/csv")]).ok()
    };
    let decommission =
        |id: &str| tenant.admin.post(&format!("/api/v1/devices/{id}/decommission"), json!({"reason": "scrapped"})).ok();
    register("SN-1").problem(409, "already-exists");
    decommission(&old);
    let second = register("SN-1").created()["device"]["id"].text();
    register("SN-1").problem(409, "already-exists");
    let known = import("SN-1");
    assert_eq!((known["result"].text(), known["deviceId"].text()), ("existing".to_owned(), second.clone()));
    // A repeat of the decommissioning takes nothing from the successor.
    decommission(&old);
    register("SN-1").problem(409, "already-exists");
    // The old device is still what it was: its record, its history, its ended certificates.
    let shown = tenant.admin.get(&path).ok();
    assert_eq!(
        (shown["device"]["serialNumber"].text(), shown["device"]["status"].text()),
        ("SN-1".to_owned(), "decommissioned".to_owned())
    );
    let history = tenant.admin.get(&format!("{path}/history")).ok();
    assert!(history.text.contains("DeviceRegistered") && history.text.contains("DeviceDecommissioned"));
    crate::support::eventually("the revocation of the old certificate", || {
        let list = tenant.admin.get(&format!("{path}/certificates")).ok();
        (list["certificates"][0]["status"] == "revoked").then_some(())
    });
    tenant.admin.put(&path, json!({"name": "Ghost"})).problem(409, "wrong-state");
    let active = tenant.admin.get("/api/v1/devices?status=active&text=SN-1").ok();
    assert_eq!((active["total"].clone(), active["devices"][0]["id"].text()), (json!(1), second.clone()));
    assert_eq!(tenant.admin.get("/api/v1/devices?text=SN-1").ok()["total"], 2);
    // An import registers a third device; importing again finds it.
    decommission(&second);
    let imported = import("SN-1");
    assert_eq!(imported["result"].text(), "created", "{}", imported.text);
    let again = import("SN-1");
    assert_eq!(
        (again["result"].text(), again["deviceId"].text()),
        ("existing".to_owned(), imported["deviceId"].text())
    );
    // Also a replacement may have it.
    decommission(&imported["deviceId"].text());
    let other = tenant.device("SN-2");
    let body = json!({"serialNumber": "SN-1", "reason": "worn"});
    tenant.admin.post(&format!("/api/v1/devices/{other}/replace"), body).ok();
}
