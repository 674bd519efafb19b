//! Resource versions in headers, and reads that wait for a log position.

use serde_json::json;

use crate::support::{Text, tenant};

#[test]
fn stale_versions_are_refused_repeats_accepted_and_unchanged_reads_answer_304() {
    let tenant = tenant("Versions");
    let (admin, engineer) = (&tenant.admin, tenant.user_with_role("engineer"));
    let rule = json!({"name": "Hot", "entityType": "device", "entityId": null, "metricKey": "t",
        "condition": {"operator": ">", "value": 80}, "severity": "low", "action": {"type": "none"}});
    let template = json!({"name": "Inspect", "defaultPriority": "low", "defaultDueHours": 4, "checklist": []});
    let kind = json!({"name": "Pump"});
    let create = |path: &str, body, pointer: &str| {
        format!("{path}/{}", engineer.post(path, body).created().json.pointer(pointer).unwrap().as_str().unwrap())
    };
    let resources = [
        (format!("/api/v1/devices/{}", tenant.device("SN-V")), json!({"name": "A"}), json!({"name": "B"})),
        (format!("/api/v1/assets/{}", tenant.asset("P")), json!({"name": "A"}), json!({"name": "B"})),
        (create("/api/v1/rules", rule, "/rule/id"), json!({"name": "A"}), json!({"name": "B"})),
        (
            create("/api/v1/activity-templates", template.clone(), "/template/id"),
            template,
            json!({"name": "B", "defaultPriority": "low", "defaultDueHours": 5, "checklist": []}),
        ),
        ("/api/v1/certificates/policy".to_owned(), json!({"noticeDays": 20}), json!({"noticeDays": 21})),
        ("/api/v1/telemetry/retention".to_owned(), json!({"days": 20}), json!({"days": 21})),
        (create("/api/v1/asset-types", kind, "/assetType/id"), json!({"name": "A"}), json!({"name": "B"})),
        (
            format!("/api/v1/device-types/{}", tenant.device_type()),
            json!({"name": "A", "metrics": []}),
            json!({"name": "B", "metrics": []}),
        ),
    ];
    for (path, first, second) in resources {
        let seen = admin.get(&path).ok();
        let tag = seen.header("etag").expect("the response has an ETag").to_owned();
        admin.send("GET", &path, None, &[("If-None-Match", &tag)]).status(304);
        admin.send("GET", &path, None, &[("If-None-Match", "\"999\"")]).status(200);
        let put = |body: &serde_json::Value, headers: &[(&str, &str)]| {
            let mut headers = headers.to_vec();
            headers.push(("Content-Type", "application/json"));
            admin.send("PUT", &path, Some(&body.to_string()), &headers)
        };
        let revised = put(&second, &[("If-Match", &tag), ("Idempotency-Key", "once")]).ok();
        let newer = revised.header("etag").expect("the response has an ETag").to_owned();
        assert_ne!(newer, tag, "{path}");
        put(&second, &[("If-None-Match", "*")]).ok();
        put(&first, &[("If-Match", &tag)]).problem(412, "precondition-failed");
        // A repeated request gets the same response, even though its version is outdated by now.
        put(&second, &[("If-Match", &tag), ("Idempotency-Key", "once")]).ok();
        put(&first, &[("If-Match", "7")]).problem(400, "invalid-parameters");
        put(&first, &[("If-Match", "*")]).ok();
        assert_ne!(admin.get(&path).header("etag"), Some(newer.as_str()));
    }
}

#[test]
fn a_tag_that_a_compressing_proxy_weakened_is_as_good_as_the_original() {
    let tenant = tenant("Weak tags");
    let (device, asset) = (tenant.device("SN-W"), tenant.asset("P"));
    for path in [format!("/api/v1/devices/{device}"), format!("/api/v1/assets/{asset}")] {
        let put = |name: &str, tag: &str| {
            let headers = [("If-Match", tag), ("Content-Type", "application/json")];
            tenant.admin.send("PUT", &path, Some(&json!({"name": name}).to_string()), &headers)
        };
        assert_eq!(put("A", "W/\"1\"").ok().header("etag"), Some("\"2\""));
        put("B", "W/\"1\"").problem(412, "precondition-failed");
        put("C", "\"1\", W/\"2\"").ok();
        put("D", "\"1\", \"2\"").problem(412, "precondition-failed");
        for wrong in ["w/\"3\"", "W/3", "\"3\", *", "\"3-gzip\""] {
            put("E", wrong).problem(400, "invalid-parameters");
        }
        put("C", "*").ok();
        for (known, status) in [("W/\"3\"", 304), ("\"2\", W/\"3\"", 304), ("*", 304), ("W/\"2\"", 200)] {
            tenant.admin.send("GET", &path, None, &[("If-None-Match", known)]).status(status);
        }
        // A list in two fields of the header is one list.
        let fields = [("If-None-Match", "\"2\""), ("If-None-Match", "W/\"3\"")];
        tenant.admin.send("GET", &path, None, &fields).status(304);
    }
    let links = format!("/api/v1/devices/{device}/assets/{asset}/link");
    let link = tenant.admin.post(&links, json!({})).created();
    let path = format!("/api/v1/devices/{device}/links/{}", link["link"]["id"].text());
    let correction = json!({"validFrom": "2026-01-01T00:00:00Z", "reason": "wrong port", "port": 2}).to_string();
    let correct = |tag: &str| {
        tenant.admin.send("PUT", &path, Some(&correction), &[("If-Match", tag), ("Content-Type", "application/json")])
    };
    correct("W/\"1\"").problem(412, "precondition-failed");
    let tag = tenant.admin.get(&format!("/api/v1/links/{}", link["link"]["id"].text())).ok();
    correct(&format!("\"1\", W/{}", tag.header("etag").unwrap())).ok();
}

#[test]
fn a_read_waits_for_a_position_and_times_out_with_503() {
    let tenant = tenant("Positions");
    let device = format!("/api/v1/devices/{}", tenant.device("SN-P"));
    let revised = tenant.admin.put(&device, json!({"name": "Later"})).ok();
    let position = revised.header("x-log-position").unwrap().to_owned();
    let seen = tenant.admin.get(&format!("{device}?minPosition={position}")).ok();
    assert_eq!(seen["device"]["name"].text(), "Later");
    tenant.admin.get(&format!("/api/v1/devices?limit=1&minPosition={position}")).ok();
    tenant.admin.get(&format!("{device}/history?minPosition={position}")).ok();
    let late = tenant.admin.get(&format!("{device}?minPosition=99999999")).problem(503, "not-yet-visible");
    assert!(late.header("retry-after").is_some());
    tenant.admin.get(&format!("{device}?minPosition=x")).problem(400, "invalid-parameters");
    tenant.admin.get("/api/v1/auth/me?minPosition=1").problem(400, "invalid-parameters");
}

#[test]
fn activities_and_empty_changes_check_the_version_too() {
    let tenant = tenant("Expected");
    let admin = &tenant.admin;
    let json_with = |method: &str, path: &str, body: serde_json::Value, tag: &str| {
        let headers = [("If-Match", tag), ("Content-Type", "application/json")];
        admin.send(method, path, Some(&body.to_string()), &headers)
    };
    for path in [format!("/api/v1/devices/{}", tenant.device("SN-E")), format!("/api/v1/assets/{}", tenant.asset("A"))]
    {
        json_with("PUT", &path, json!({}), "\"7\"").problem(412, "precondition-failed");
        assert_eq!(json_with("PUT", &path, json!({}), "\"1\"").ok().header("etag"), Some("\"1\""));
    }
    let template = admin.post("/api/v1/activity-templates", json!({"name": "Inspect"})).created();
    let make = format!("/api/v1/activities/from-template/{}", template["template"]["id"].text());
    let asset = tenant.asset("B");
    let activity = admin.post(&make, json!({"targetId": asset})).created()["activity"]["id"].text();
    let path = format!("/api/v1/activities/{activity}");
    let tag = admin.get(&path).ok().header("etag").expect("the response has an ETag").to_owned();
    let assign = json!({"assignedRole": "technician"});
    let assigned = json_with("POST", &format!("{path}/assign"), assign.clone(), &tag).ok();
    assert_ne!(assigned.header("etag"), Some(tag.as_str()));
    json_with("POST", &format!("{path}/start"), json!({}), &tag).problem(412, "precondition-failed");
    assert_eq!(admin.get(&path).ok()["activity"]["status"], "assigned");
    admin.send("GET", &path, None, &[("If-None-Match", assigned.header("etag").unwrap())]).status(304);
}

#[test]
fn every_created_resource_has_an_etag() {
    let tenant = tenant("Tags");
    let new = json!({"name": "T", "serialNumber": "SN-T", "deviceTypeId": tenant.device_type()});
    let device = tenant.admin.post("/api/v1/devices", new).created();
    let person =
        json!({"email": "tags@example.org", "name": "T", "password": "correct horse battery", "role": "viewer"});
    let person = tenant.admin.post("/api/v1/users", person).created();
    let (id, asset) = (device["device"]["id"].text(), tenant.asset("A"));
    let link = tenant.admin.post(&format!("/api/v1/devices/{id}/assets/{asset}/link"), json!({})).created();
    let certificate = device["certificate"]["id"].text();
    for (created, path) in [
        (Some(&device), format!("/api/v1/devices/{id}")),
        (Some(&person), format!("/api/v1/users/{}", person["user"]["id"].text())),
        (Some(&link), format!("/api/v1/links/{}", link["link"]["id"].text())),
        (None, format!("/api/v1/certificates/{certificate}")),
    ] {
        let seen = tenant.admin.get(&path).ok();
        let tag = seen.header("etag").expect("the response has an ETag");
        tenant.admin.send("GET", &path, None, &[("If-None-Match", tag)]).status(304);
        assert!(created.is_none_or(|created| created.header("etag") == Some(tag)), "{path}");
    }
    let path = format!("/api/v1/users/{}", person["user"]["id"].text());
    let put = |tag: &str, name: &str| {
        let headers = [("If-Match", tag), ("Content-Type", "application/json")];
        tenant.admin.send("PUT", &path, Some(&json!({"name": name}).to_string()), &headers)
    };
    put("\"9\"", "U").problem(412, "precondition-failed");
    let tag = tenant.admin.get(&path).ok().header("etag").unwrap().to_owned();
    put(&tag, "U").ok();
    put(&tag, "V").problem(412, "precondition-failed");
    put(&tag, "U").problem(412, "precondition-failed");
}
