//! Replay: the read models in PostgreSQL and Redis are rebuilt from the log and equal the live ones.

use std::time::Duration;

use crate::clients;
use crate::fixtures::{self, reading};
use crate::platform::Platform;
use crate::wait::wait_until;

#[tokio::test(flavor = "multi_thread")]
async fn dropped_read_models_are_rebuilt_equal_from_the_log() {
    let mut platform = Platform::separate_roles().await;
    tokio::task::block_in_place(|| assert_rebuilt_equal(&mut platform));
}

/// Stores data of every kind, rebuilds all read models, and asserts that the API returns the same as before.
pub fn assert_rebuilt_equal(platform: &mut Platform) {
    let api = platform.admin();
    let device = fixtures::device(&api, platform.folder.path(), "SN-9");
    let asset = fixtures::asset(&api, &device);
    fixtures::hot_rule(&api, &asset);
    let payloads: Vec<_> = (0..50).map(|n| reading(40.0 + f64::from(n), i64::from(n) - 100)).collect();
    let port = platform.mqtt_port();
    assert_eq!(clients::paho(&device, port, "3.1.1", &device.topic, &payloads).acknowledged(), 50);
    let history = format!("/api/v1/telemetry/device/{}?metricKey=temperature", device.id);
    wait_until("everything is stored", Duration::from_secs(20), || {
        let (count, activities) = (api.get(&history)["count"].clone(), api.get("/api/v1/activities")["total"].clone());
        if count == 50 && activities == 1 { Ok(()) } else { Err((count, activities)) }
    });
    let before = responses(&api, &device.id, &asset);
    platform.kill("project");
    let report = platform.run(&["replay", "projections", "--all"]);
    assert!(report.contains("telemetry_history"), "{report}");
    platform.start("project");
    assert_eq!(responses(&api, &device.id, &asset), before);
}

/// Returns the API's responses about the device and the asset.
fn responses(api: &crate::api_client::Api, device: &str, asset: &str) -> Vec<serde_json::Value> {
    [
        "/api/v1/devices".to_owned(),
        format!("/api/v1/devices/{device}"),
        format!("/api/v1/devices/{device}/history"),
        format!("/api/v1/devices/{device}/assets"),
        format!("/api/v1/assets/{asset}"),
        "/api/v1/rules".to_owned(),
        "/api/v1/alarms".to_owned(),
        "/api/v1/activities".to_owned(),
        "/api/v1/events".to_owned(),
        format!("/api/v1/telemetry/device/{device}?metricKey=temperature&startTime=2020-01-01T00:00:00Z"),
        format!("/api/v1/telemetry/asset/{asset}?metricKey=temperature&startTime=2020-01-01T00:00:00Z"),
        format!("/api/v1/telemetry/device/{device}/latest"),
    ]
    .map(|path| api.get(&path))
    .to_vec()
}
