//! Custom attributes: which numbers are kept, and how a filter finds values of several types.

use serde_json::json;

use crate::support::{Text, tenant};

#[test]
fn a_number_that_would_lose_digits_is_refused_with_its_field() {
    let tenant = tenant("Lost digits");
    let (kind, device, asset) = (tenant.device_type(), tenant.device("L-1"), tenant.asset("Pump"));
    let asset_type = tenant.admin.get(&format!("/api/v1/assets/{asset}")).ok()["asset"]["assetTypeId"].text();
    let free = r#"{"iccid": 89490200001234567895, "kept": 18446744073709551615, "sim": {"ids": [1, 1e999]}}"#;
    let send = |method: &str, path: &str, body: &str| {
        tenant.admin.send(method, &format!("/api/v1/{path}"), Some(body), &[("Content-Type", "application/json")])
    };
    let profile = format!(r#"{{"name": "P", "assetTypeId": "{asset_type}", "defaultAttributes": {free}}}"#);
    let with_free = |rest: &str| format!(r#"{{{rest} "customAttributes": {free}}}"#);
    for (method, path, body, field) in [
        (
            "POST",
            "devices".to_owned(),
            with_free(&format!(r#""name": "A", "serialNumber": "L-2", "deviceTypeId": "{kind}","#)),
            "customAttributes",
        ),
        ("PUT", format!("devices/{device}"), with_free(""), "customAttributes"),
        (
            "POST",
            "assets".to_owned(),
            with_free(&format!(r#""name": "A", "assetTypeId": "{asset_type}","#)),
            "customAttributes",
        ),
        ("PUT", format!("assets/{asset}"), with_free(""), "customAttributes"),
        ("POST", "asset-profiles".to_owned(), profile, "defaultAttributes"),
    ] {
        let refused = send(method, &path, &body).problem(422, "invalid-fields").fields();
        assert_eq!(refused, [format!("{field}.iccid"), format!("{field}.sim.ids[1]")], "{method} {path}");
    }
}

#[test]
fn an_accepted_number_keeps_every_digit_in_every_answer() {
    let tenant = tenant("Kept digits");
    let id = tenant.device("K-1");
    let path = format!("/api/v1/devices/{id}");
    let kept =
        r#"{"eui":18446744073709551615,"float":0.30000000000000004,"low":-9223372036854775808,"odd":9007199254740993}"#;
    let body = format!("{{\"customAttributes\": {kept}}}");
    let changed = tenant.admin.send("PUT", &path, Some(&body), &[("Content-Type", "application/json")]).ok();
    let position = changed.header("x-log-position").unwrap().to_owned();
    let history = format!("{path}/history?minPosition={position}");
    let audit = format!("/api/v1/audit?minPosition={position}");
    let shown = [&path, &audit, &history].map(|path| tenant.admin.get(path).ok());
    for shown in shown.into_iter().chain([changed]) {
        for number in ["18446744073709551615", "0.30000000000000004", "-9223372036854775808", "9007199254740993"] {
            assert!(shown.text.contains(&format!(":{number}")), "{number} in {}", shown.text);
        }
    }
    let lines = tenant.admin.get("/api/v1/devices/export?format=jsonl").ok().text;
    assert!(lines.contains(kept), "{lines}");
}

#[test]
fn an_attribute_is_found_as_text_and_as_the_number_or_word_that_its_value_writes() {
    let tenant = tenant("Attribute types");
    let kind = tenant.device_type();
    let devices = [
        ("A", json!({"floor": 3})),
        ("B", json!({"floor": "3"})),
        ("C", json!({"floor": "3.0", "flag": "true"})),
        ("D", json!({"flag": true, "none": null})),
        ("E", json!({"iccid": "89490200001234567895"})),
        ("F", json!({"iccid": 89_490_200_001_234_570_000_f64})),
        ("G", json!({"code": "007", "nested": {"floor": 3}, "list": [3]})),
    ];
    for (name, attributes) in devices {
        let body = json!({"name": name, "serialNumber": name, "deviceTypeId": kind, "customAttributes": attributes});
        tenant.admin.post("/api/v1/devices", body).created();
    }
    for (attribute, found) in [
        ("floor:3", "AB"),
        ("floor:3.0", "AC"),
        ("floor:03", ""),
        ("floor:%223%22", ""),
        ("flag:true", "CD"),
        ("flag:TRUE", ""),
        ("none:null", "D"),
        ("iccid:89490200001234567895", "E"),
        ("iccid:89490200001234570000", "F"),
        ("code:007", "G"),
        ("code:7", ""),
        ("list:3", ""),
        ("nested:%7B%22floor%22:3%7D", ""),
    ] {
        let list = tenant.admin.get(&format!("/api/v1/devices?attribute={attribute}")).ok();
        let names = list["devices"].as_array().unwrap().iter().map(|device| device["name"].text());
        assert_eq!(names.collect::<String>(), found, "{attribute}");
    }
}
