//! Derived metrics of assets: formulas over several devices, composites of child assets, health scores folded from
//! children, and a backup device that takes over from a silent one.

use std::time::Duration;

use serde_json::{Value, json};

use crate::api_client::Api;
use crate::clients;
use crate::fixtures::{self, Device, id, now_millis};
use crate::platform::Platform;
use crate::wait::wait_until;

const SOON: Duration = Duration::from_secs(30);

fn send(device: &Device, platform: &Platform, payloads: &[Value]) {
    let texts: Vec<String> = payloads.iter().map(Value::to_string).collect();
    let sent = clients::paho(device, platform.mqtt_port(), "3.1.1", &device.topic, &texts);
    assert_eq!(sent.acknowledged(), texts.len(), "{sent:?}");
}

fn at(seconds: i64, metrics: Value) -> Value {
    json!({"ts": now_millis() + seconds * 1000, "metrics": metrics})
}

fn asset(api: &Api, name: &str, of_type: Value, parent: Option<&str>) -> String {
    let mut of_type = of_type;
    of_type["name"] = json!(format!("Kind of {name}"));
    let kind = id(&api.post("/api/v1/asset-types", of_type), "/assetType/id");
    id(&api.post("/api/v1/assets", json!({"name": name, "assetTypeId": kind, "parentId": parent})), "/asset/id")
}

fn link(api: &Api, device: &Device, asset: &str, role: &str) {
    let link = json!({"role": role, "validFrom": "2020-01-01T00:00:00Z"});
    api.post(&format!("/api/v1/devices/{}/assets/{asset}/link", device.id), link);
}

/// Waits until the latest value of an asset's metric equals `wanted`; returns the metric.
fn latest(api: &Api, asset: &str, metric: &str, wanted: &Value) -> Value {
    wait_until("the latest value", SOON, || {
        let latest = api.get(&format!("/api/v1/telemetry/asset/{asset}/latest"));
        let found = latest["metrics"][metric].clone();
        if found["value"] == *wanted { Ok(found) } else { Err(latest) }
    })
}

#[test]
fn metrics_are_derived_from_several_devices_and_from_child_assets() {
    let platform = Platform::up();
    let api = platform.admin();
    let device = |serial| fixtures::device(&api, platform.folder.path(), serial);
    let (volts, amperes, spare) = (device("SN-10"), device("SN-11"), device("SN-12"));

    let plant = json!({"compositeMetrics": [{"key": "total", "of": "total", "aggregation": "sum"}],
        "healthModel": {"bands": [], "children": {"fold": "worst"}}});
    let line = json!({"compositeMetrics": [{"key": "total", "of": "power", "aggregation": "sum"}],
        "healthModel": {"bands": [], "children": {"fold": "mean"}}});
    let band =
        json!({"metricKey": "power", "goodLow": 0, "goodHigh": 1000, "limitLow": -1, "limitHigh": 5000, "weight": 1});
    let motor = json!({"derivedMetrics": [{"key": "power", "formula": "voltage * current", "unit": "W"},
            {"key": "resistance", "formula": "voltage / current"}],
        "takeoverAfterSeconds": 5, "healthModel": {"bands": [band]}});
    let plant = asset(&api, "Plant", plant, None);
    let line = asset(&api, "Line", line, Some(&plant));
    let motor = asset(&api, "Motor", motor, Some(&line));
    link(&api, &volts, &motor, "primary");
    link(&api, &amperes, &motor, "secondary");
    link(&api, &spare, &motor, "backup");

    send(&volts, &platform, &[at(-3, json!({"voltage": 100.0}))]);
    send(&amperes, &platform, &[at(-2, json!({"current": 30.0}))]);
    let power = latest(&api, &motor, "power", &json!(3000.0));
    assert_eq!(power["quality"], "good");
    latest(&api, &line, "total", &json!(3000.0));
    latest(&api, &plant, "total", &json!(3000.0));
    let wait_until_healthy = |asset: &str| {
        wait_until("the health score is computed", SOON, || {
            let shown = api.get(&format!("/api/v1/assets/{asset}"));
            let by = shown["asset"]["healthScoreComputedBy"].as_u64();
            let formula = &shown["asset"]["healthScoreFormulaVersion"];
            if shown["asset"]["healthScore"] == 50 && by.is_some_and(|by| by > 0) && formula == 2 {
                Ok(())
            } else {
                Err(shown)
            }
        });
    };
    [&motor, &line, &plant].into_iter().for_each(|asset| wait_until_healthy(asset));
    let history = format!("/api/v1/telemetry/asset/{motor}?metricKey=power");
    let answer = wait_until("the history has the computed value", SOON, || {
        let answer = api.get(&history);
        if answer["count"] == 1 { Ok(answer) } else { Err(answer) }
    });
    let mut sources = vec![volts.id.clone(), amperes.id.clone()];
    sources.sort();
    assert_eq!(answer["data"][0]["sourceDevices"], json!(sources));

    // A failed formula gives its reason; other formulas still compute.
    send(&amperes, &platform, &[at(-1, json!({"current": 0.0}))]);
    latest(&api, &motor, "power", &json!(0.0));
    let bad = latest(&api, &motor, "resistance", &Value::Null);
    assert_eq!((&bad["quality"], &bad["reason"]), (&json!("bad"), &json!("the result is not a finite number")));

    // The backup takes over once the primary has been silent for five seconds.
    send(&spare, &platform, &[at(0, json!({"voltage": 110.0}))]);
    send(&amperes, &platform, &[at(0, json!({"current": 2.0}))]);
    latest(&api, &motor, "power", &json!(200.0));
    wait_until("the backup takes over", SOON, || {
        send(&spare, &platform, &[at(1, json!({"voltage": 120.0}))]);
        let latest = api.get(&format!("/api/v1/telemetry/asset/{motor}/latest"));
        if latest["metrics"]["power"]["value"] == 240.0 { Ok(()) } else { Err(latest) }
    });
    send(&volts, &platform, &[at(3, json!({"voltage": 90.0}))]);
    latest(&api, &motor, "power", &json!(180.0));
}
