//! Telemetry over HTTP with curl: by certificate and by device token, as far as the latest values; a revoked token is
//! refused.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clients::{self, ensure_command};
use crate::fixtures::{self, Device, id, reading};
use crate::platform::Platform;
use crate::wait::wait_until;

const SOON: Duration = Duration::from_secs(20);

/// Posts with curl; returns status and body.
fn curl(platform: &Platform, device: &Device, more: &[&str], path: &str, body: &str) -> (u16, Value) {
    ensure_command("curl", "curl");
    let url = format!("https://localhost:{}{path}", platform.base + 6);
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "30", "--write-out", "\n%{http_code}", "--data-binary", body])
        .arg("--cacert")
        .arg(&device.root)
        .args(more)
        .arg(url)
        .output()
        .expect("curl starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let (body, status) = text.rsplit_once('\n').expect("a status");
    (status.parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn readings_of_arrays_without_times_all_appear_in_history() {
    let platform = Platform::up();
    let api = platform.admin();
    let device = fixtures::device(&api, platform.folder.path(), "SN-A");
    let asset = fixtures::asset(&api, &device);
    let (certificate, key) = (device.certificate.display().to_string(), device.key.display().to_string());
    let mutual = ["--cert", certificate.as_str(), "--key", key.as_str()];
    let array = |values: [u64; 3]| json!(values.map(|value| json!({"metrics": {"temperature": value}}))).to_string();
    let mqtt = [array([1, 2, 3]), array([4, 5, 6])];
    assert_eq!(clients::paho(&device, platform.mqtt_port(), "3.1.1", &device.topic, &mqtt).acknowledged(), 2);
    let whole = 9_007_199_254_740_993;
    let batch = format!("[{}, {}]", array([10, 11, 12]), array([13, 14, whole]));
    for (path, body) in [("/api/v1/telemetry", array([7, 8, 9])), ("/api/v1/telemetry/batch", batch)] {
        assert_eq!(curl(&platform, &device, &mutual, path, &body).0, 202, "{path}");
    }
    let history = format!("/api/v1/telemetry/device/{}?metricKey=temperature", device.id);
    let points = wait_until("all readings are in history", SOON, || {
        let found = api.get(&history);
        if found["count"] == 15 { Ok(found["data"].clone()) } else { Err(found) }
    });
    let points = points.as_array().unwrap();
    let values: Vec<_> = points.iter().map(|point| point["value"].as_f64().unwrap()).collect();
    let expected: Vec<_> = (1..15).map(f64::from).chain([whole as f64]).collect();
    assert!(values.iter().eq(&expected) || values.iter().rev().eq(&expected), "{values:?}");
    let uncertain = points.iter().filter(|point| point["quality"] == "uncertain");
    assert_eq!(uncertain.map(|point| point["value"].as_f64().unwrap()).collect::<Vec<_>>(), [whole as f64]);
    for entity in [format!("device/{}", device.id), format!("asset/{asset}")] {
        wait_until("the latest value is said to be rounded", SOON, || {
            let latest = api.get(&format!("/api/v1/telemetry/{entity}/latest"));
            if latest.to_string().contains("uncertain") { Ok(()) } else { Err(latest) }
        });
    }
}

#[test]
fn curl_publishes_by_certificate_and_by_token_until_the_token_is_revoked() {
    let platform = Platform::up();
    let api = platform.admin();
    let device = fixtures::device(&api, platform.folder.path(), "SN-H");
    let other = fixtures::device(&api, platform.folder.path(), "SN-O");
    let (certificate, key) = (device.certificate.display().to_string(), device.key.display().to_string());
    let mutual = ["--cert", certificate.as_str(), "--key", key.as_str()];
    let single = "/api/v1/telemetry";
    let (status, answer) = curl(&platform, &device, &mutual, single, &reading(41.0, -2000));
    assert_eq!((status, answer), (202, json!({"accepted": 1})));

    let tokens = format!("/api/v1/devices/{}/tokens", device.id);
    let issued = api.post(&tokens, json!({"label": "curl"}));
    let bearer = format!("authorization: Bearer {}", issued["token"].as_str().expect("a token"));
    let token = ["--header", bearer.as_str()];
    let (status, answer) = curl(&platform, &device, &token, single, &reading(42.0, -1000));
    assert_eq!((status, answer), (202, json!({"accepted": 1})));
    wait_until_latest_is(&api, &device, 42.0);

    api.put(&format!("/api/v1/devices/{}/gateway", device.id), json!({}));
    let named = |device: &Device| format!(r#"{{"deviceId": "{}", "metrics": {{"temperature": 43}}}}"#, device.id);
    let batch = format!("[{}, {}, {{}}]", named(&other), named(&device));
    let (status, answer) = curl(&platform, &device, &token, "/api/v1/telemetry/batch", &batch);
    assert_eq!((status, &answer["accepted"], &answer["results"][2]["reason"]), (207, &json!(2), &json!("no_metrics")));
    wait_until_latest_is(&api, &other, 43.0);

    assert_eq!(api.delete(&format!("{tokens}/{}?reason=lost", id(&issued, "/id"))).0, 200);
    let problem = wait_until("the token is refused", SOON, || {
        match curl(&platform, &device, &token, single, &reading(44.0, 0)) {
            (401, problem) => Ok(problem),
            other => Err(other),
        }
    });
    assert_eq!(problem["reason"], "revoked");
}

fn wait_until_latest_is(api: &crate::api_client::Api, device: &Device, value: f64) {
    let path = format!("/api/v1/telemetry/device/{}/latest", device.id);
    wait_until("the latest value", SOON, || {
        let latest = api.get(&path);
        if latest["metrics"]["temperature"]["value"] == value { Ok(()) } else { Err(latest) }
    });
}
