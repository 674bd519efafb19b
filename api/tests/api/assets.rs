//! Assets, their tree, and the links between devices and assets.

use serde_json::{Value, json};

use crate::support::{Text, tenant};

#[test]
fn an_asset_is_placed_moved_and_retired() {
    let tenant = tenant("Assets");
    let station = tenant.asset("Station");
    let kind = tenant.admin.get(&format!("/api/v1/assets/{station}")).ok()["asset"]["assetTypeId"].text();
    let body = json!({"name": "Pump", "assetTypeId": kind, "parentId": station,
        "location": {"latitude": 52.5, "longitude": 13.4}});
    let pump = tenant.admin.post("/api/v1/assets", body).created();
    assert_eq!(pump["asset"]["parentId"], station);
    assert_eq!(pump["asset"]["location"], json!({"latitude": 52.5, "longitude": 13.4}));
    let id = pump["asset"]["id"].text();
    let parts = tenant.admin.get(&format!("/api/v1/assets?parentId={station}")).ok();
    assert_eq!(parts["assets"][0]["id"], id);
    let path = format!("/api/v1/assets/{id}");
    let cycle = tenant.admin.put(&format!("/api/v1/assets/{station}"), json!({"parentId": id}));
    assert_eq!(cycle.problem(422, "invalid-fields").fields(), ["parentId"]);
    let moved = tenant.admin.put(&path, json!({"parentId": id, "location": {"latitude": 1.0, "longitude": 2.0}})).ok();
    assert!(moved["asset"]["parentId"].is_null(), "{}", moved.text);
    let out_of_range = tenant.admin.put(&path, json!({"location": {"latitude": 91.0, "longitude": 2.0}}));
    assert_eq!(out_of_range.problem(422, "invalid-fields").fields(), ["location.latitude"]);
    tenant.admin.delete(&path).ok();
    assert_eq!(tenant.admin.get("/api/v1/assets").ok()["total"], 1);
    assert_eq!(tenant.admin.get(&path).ok()["asset"]["retired"], true);
    tenant.admin.put(&path, json!({"name": "X"})).problem(409, "wrong-state");
}

#[test]
fn a_change_of_an_asset_that_does_not_move_answers_with_the_change() {
    let tenant = tenant("Unmoved");
    let asset = tenant.asset("Pump");
    let path = format!("/api/v1/assets/{asset}");
    for n in 0..30 {
        let name = format!("Pump {n}");
        let changed = tenant.admin.put(&path, json!({"name": name, "parentId": asset})).ok();
        assert_eq!(changed["asset"]["name"], name);
    }
}

#[test]
fn a_health_model_is_returned_as_it_was_sent() {
    let tenant = tenant("Health");
    let band = json!({"metricKey": "temperature", "goodLow": 20.0, "goodHigh": 75.0, "limitLow": 0.0,
        "limitHigh": 95.0, "weight": 2.0});
    let body = json!({"name": "Pump", "healthModel": {"bands": [band]},
        "derivedMetrics": [{"key": "mean", "formula": "(a + b) / 2"}]});
    let created = tenant.admin.post("/api/v1/asset-types", body).created();
    assert_eq!(created["assetType"]["healthModel"], json!({"bands": [band]}));
    let path = format!("/api/v1/asset-types/{}", created["assetType"]["id"].text());
    assert_eq!(tenant.admin.get(&path).ok().json, created.json);
    let mut wrong = band;
    wrong["goodLow"] = json!(99.0);
    let refused = tenant.admin.put(&path, json!({"name": "Pump", "healthModel": {"bands": [wrong]}}));
    assert_eq!(refused.problem(422, "invalid-fields").fields(), ["healthModel.bands"]);
}

#[test]
fn a_device_is_linked_to_an_asset_and_unlinked() {
    let tenant = tenant("Links");
    let (device, asset) = (tenant.device("L-1"), tenant.asset("Pump"));
    let path = format!("/api/v1/devices/{device}/assets/{asset}");
    let body = json!({"port": 1, "role": "primary", "validFrom": "2026-01-28T00:00:00Z", "validUntil": null,
        "metricsMapping": {"device.temp_1": "asset.temperature"}});
    let link = tenant.admin.post(&format!("{path}/link"), body.clone()).created();
    let expected = json!({"id": link["link"]["id"], "deviceId": device, "assetId": asset, "port": 1, "role": "primary",
        "validFrom": "2026-01-28T00:00:00Z", "validUntil": null,
        "metricsMapping": {"device.temp_1": "asset.temperature"}, "version": link["link"]["version"]});
    assert_eq!(link["link"], expected);
    tenant.admin.post(&format!("{path}/link"), body).problem(409, "wrong-state");
    let assets = tenant.admin.get(&format!("/api/v1/devices/{device}/assets")).ok();
    assert_eq!((&assets["assets"][0]["id"], &assets["assets"][0]["name"]), (&json!(asset), &json!("Pump")));
    assert_eq!(assets["assets"][0]["port"], 1);
    let devices = tenant.admin.get(&format!("/api/v1/assets/{asset}/devices")).ok();
    let linked = &devices["devices"][0];
    assert_eq!(
        (&linked["id"], &linked["status"], &linked["lastSeen"]),
        (&json!(device), &json!("unknown"), &Value::Null)
    );
    assert_eq!(tenant.admin.delete(&format!("{path}/unlink")).ok().json, json!({"success": true}));
    assert_eq!(tenant.admin.get(&format!("/api/v1/devices/{device}/assets")).ok()["assets"], json!([]));
    let ended = tenant.admin.get(&format!("/api/v1/devices/{device}/assets?ended=true")).ok();
    assert!(ended["assets"][0]["validUntil"].is_string(), "{}", ended.text);
    let other = tenant.asset("Other");
    tenant.admin.delete(&format!("/api/v1/devices/{device}/assets/{other}/unlink")).problem(404, "not-found");
}

#[test]
fn a_wrong_link_names_its_field() {
    let tenant = tenant("Wrong links");
    let (device, asset) = (tenant.device("W-1"), tenant.asset("Pump"));
    let refused = |body: Value| {
        let path = format!("/api/v1/devices/{device}/assets/{asset}/link");
        tenant.admin.post(&path, body).problem(422, "invalid-fields").fields()
    };
    assert_eq!(refused(json!({"role": "boss", "port": -1})), ["port", "role"]);
    assert_eq!(refused(json!({"metricsMapping": {"temp": "asset.t"}})), ["metricsMapping"]);
    let backwards = json!({"validFrom": "2026-02-01T00:00:00Z", "validUntil": "2026-01-01T00:00:00Z"});
    assert_eq!(refused(backwards), ["validUntil"]);
}

#[test]
fn a_link_is_corrected_for_the_past_and_the_history_shows_it() {
    let tenant = tenant("Corrections");
    let (device, asset) = (tenant.device("L-2"), tenant.asset("Pump"));
    let body = json!({"port": 1, "validFrom": "2026-01-28T00:00:00Z"});
    let created = tenant.admin.post(&format!("/api/v1/devices/{device}/assets/{asset}/link"), body).created();
    let path = format!("/api/v1/devices/{device}/links/{}", created["link"]["id"].text());
    let tag = created.header("etag").unwrap().to_owned();
    let put = |tag: &str, body: serde_json::Value| {
        let headers = [("If-Match", tag), ("Content-Type", "application/json")];
        tenant.admin.send("PUT", &path, Some(&body.to_string()), &headers)
    };
    let right = json!({"port": 2, "role": "backup", "validFrom": "2025-12-01T00:00:00Z",
        "validUntil": "2026-06-01T00:00:00Z", "reason": "the plan was wrong"});
    let corrected = put(&tag, right.clone()).ok();
    assert_eq!(corrected["link"]["validFrom"].text(), "2025-12-01T00:00:00Z");
    assert_eq!((corrected["link"]["port"].clone(), corrected["link"]["role"].text()), (json!(2), "backup".to_owned()));
    put(&tag, json!({"validFrom": "2025-12-01T00:00:00Z", "reason": "x"})).problem(412, "precondition-failed");
    let newer = corrected.header("etag").unwrap().to_owned();
    put(&newer, right).ok();
    put(&newer, json!({"validFrom": "2025-12-01T00:00:00Z", "reason": ""})).problem(422, "invalid-fields");
    put("*", json!({"validFrom": "2025-12-01T00:00:00Z"})).problem(422, "invalid-fields");
    let history = tenant.admin.get(&format!("/api/v1/devices/{device}/history")).ok();
    assert!(history.text.contains("LinkCorrected"), "{}", history.text);
    assert!(history.text.contains("2026-01-28T00:00:00Z") && history.text.contains("the plan was wrong"));
}

#[test]
fn a_type_defines_computed_metrics_and_invalid_ones_are_refused() {
    let tenant = tenant("Computed");
    let body = json!({"name": "Line",
        "derivedMetrics": [{"key": "mean", "formula": "total / count", "unit": "W"}],
        "compositeMetrics": [{"key": "total", "of": "power", "aggregation": "sum"},
            {"key": "count", "of": "power", "aggregation": "count"}],
        "staleAfterSeconds": 60, "takeoverAfterSeconds": 30,
        "healthModel": {"bands": [], "children": {"fold": "worst", "weight": 1.0}}});
    let created = tenant.admin.post("/api/v1/asset-types", body.clone()).created();
    for field in ["derivedMetrics", "compositeMetrics", "staleAfterSeconds", "takeoverAfterSeconds", "healthModel"] {
        assert_eq!(created["assetType"][field], body[field], "{field}");
    }
    let with = |field: &str, value: serde_json::Value| {
        let mut body = body.clone();
        body[field] = value;
        let refused = tenant.admin.post("/api/v1/asset-types", body).problem(422, "invalid-fields");
        (refused.fields()[0].clone(), refused["errors"][0]["message"].text())
    };
    let (field, said) = with("derivedMetrics", json!([{"key": "p", "formula": "1 +"}]));
    assert!(field == "derivedMetrics" && said.contains("\"p\""), "{field}: {said}");
    let circle = json!([{"key": "p", "formula": "q"}, {"key": "q", "formula": "p"}]);
    assert!(with("derivedMetrics", circle).1.contains("q must be defined before it is used"));
    let twice = json!([{"key": "mean", "of": "power", "aggregation": "sum"}]);
    assert_eq!(with("compositeMetrics", twice).0, "metricKey");
    let strange = json!([{"key": "a", "of": "b", "aggregation": "median"}]);
    assert_eq!(with("compositeMetrics", strange).0, "compositeMetrics[0].aggregation");
    assert_eq!(with("staleAfterSeconds", json!(0)).0, "staleAfterSeconds");
    assert_eq!(with("takeoverAfterSeconds", json!(9_000_000)).0, "takeoverAfterSeconds");
    let weightless = json!({"bands": [], "children": {"fold": "mean", "weight": 0.0}});
    assert_eq!(with("healthModel", weightless).0, "healthModel.children.weight");
}
