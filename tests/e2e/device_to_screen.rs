//! Readings travel from a device's mutual TLS connection to every read model and to the live feed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::clients::{self, Feed};
use crate::fixtures::{self, reading};
use crate::platform::Platform;
use crate::wait::wait_until;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn readings_of_third_party_clients_reach_every_read_model_and_the_live_feed() {
    let platform = Platform::up();
    let api = platform.admin();
    let device = fixtures::device(&api, platform.folder.path(), "SN-1");
    let asset = fixtures::asset(&api, &device);
    let rule = fixtures::hot_rule(&api, &asset);
    let organization = json!({"organizationId": api.organization});
    let mut feed = Feed::open(&platform.url(), &api.token, &organization, "websocket");
    assert_eq!(feed.expect("subscribed", |_| true)["ok"], true);

    let port = platform.mqtt_port();
    let normal = clients::paho(&device, port, "3.1.1", &device.topic, &[reading(50.0, -3000), reading(55.0, -2000)]);
    assert_eq!(normal.acknowledged(), 2, "{normal:?}");
    let hot = clients::paho(&device, port, "5", &device.topic, &[reading(90.0, -1000)]);
    assert_eq!(hot.acknowledged(), 1, "{hot:?}");
    assert_eq!(clients::mosquitto(&device, port, "mqttv311", &reading(60.0, 0)), 0);
    assert_eq!(clients::mosquitto(&device, port, "mqttv5", &reading(61.0, 0)), 0);

    assert_history_has_every_value(&api, &device.id, &asset);
    assert_latest_is_newest(&api, &device.id);
    assert_breach_raised_alarm_and_activity(&api, &asset, &rule);

    let is_device = |data: &Value| data["deviceId"] == device.id.as_str();
    feed.expect("device:connected", is_device);
    feed.expect("device:status", |data| is_device(data) && data["status"] == "online");
    feed.expect("telemetry:new", |data| is_device(data) && data["metrics"]["temperature"].is_number());
    feed.expect("asset:healthscore", |data| data["assetId"] == asset.as_str() && data["healthScore"] == 25);
    wait_until("the health changes are listed", Duration::from_secs(10), || {
        let health = api.get(&format!("/api/v1/assets/{asset}/health"));
        let changes = health["changes"].as_array().unwrap().iter();
        let scores: Vec<_> = changes.map(|change| change["healthScore"].clone()).collect();
        if scores.starts_with(&[json!(100), json!(25)]) { Ok(()) } else { Err(health) }
    });
    feed.expect("event:created", |data| data["entityId"] == asset.as_str() && data["type"] == "THRESHOLD_BREACH");
    feed.expect("activity:created", |data| data["name"] == "Inspect" && data["priority"] == "high");
    feed.expect("device:disconnected", is_device);
}

#[test]
fn the_live_feed_serves_polling_clients_and_refuses_an_invalid_token() {
    let platform = Platform::up();
    let api = platform.admin();
    let device = fixtures::device(&api, platform.folder.path(), "SN-2");
    let room = json!({"deviceId": device.id});
    let mut feed = Feed::open(&platform.url(), &api.token, &room, "polling");
    assert_eq!(feed.expect("subscribed", |_| true)["ok"], true);
    clients::paho(&device, platform.mqtt_port(), "3.1.1", &device.topic, &[reading(20.0, 0)]);
    feed.expect("telemetry:batch", |data| data[0]["metrics"]["temperature"] == 20.0);
    let mut refused = Feed::open(&platform.url(), "not a token", &room, "websocket");
    refused.expect("connect_error", |_| true);
}

/// Asserts that the history of device and asset has all five temperatures in order.
pub fn assert_history_has_every_value(api: &crate::api_client::Api, device: &str, asset: &str) {
    let values = |path: String| {
        wait_until("the history has every value", SOON, || {
            let answer = api.get(&path);
            let data = answer["data"].as_array().unwrap();
            let values: Vec<_> = data.iter().map(|point| point["value"].as_f64().unwrap()).collect();
            if values.len() == 5 { Ok((values, answer.clone())) } else { Err(answer) }
        })
    };
    let (device_values, _) = values(format!("/api/v1/telemetry/device/{device}?metricKey=temperature"));
    assert_eq!(device_values, [50.0, 55.0, 90.0, 60.0, 61.0]);
    let (asset_values, answer) = values(format!("/api/v1/telemetry/asset/{asset}?metricKey=temperature"));
    assert_eq!(asset_values, [50.0, 55.0, 90.0, 60.0, 61.0]);
    assert_eq!(answer["data"][0]["sourceDevices"], json!([device]));
    assert_eq!(answer["count"], 5);
}

/// Waits until the device's latest temperature is the last one published.
pub fn assert_latest_is_newest(api: &crate::api_client::Api, device: &str) {
    wait_until("the latest value is the newest", SOON, || {
        let latest = api.get(&format!("/api/v1/telemetry/device/{device}/latest"));
        let temperature = &latest["metrics"]["temperature"];
        let is_newest =
            temperature["value"] == 61.0 && temperature["quality"] == "good" && latest["lastSeen"].is_string();
        if is_newest { Ok(()) } else { Err(latest) }
    });
}

/// Asserts that the breach raised exactly one alarm, which can be acknowledged, and one activity with the rule's
/// severity as its priority.
pub fn assert_breach_raised_alarm_and_activity(api: &crate::api_client::Api, asset: &str, rule: &str) {
    let alarm = wait_until("an alarm is on the board", SOON, || {
        let alarms = api.get("/api/v1/alarms");
        alarms["alarms"].get(0).cloned().ok_or(alarms)
    });
    assert_eq!((alarm["ruleId"].as_str(), alarm["entityId"].as_str()), (Some(rule), Some(asset)), "{alarm}");
    let id = fixtures::id(&alarm, "/id");
    api.post(&format!("/api/v1/alarms/{id}/acknowledge"), json!({"comment": "seen"}));
    wait_until("the alarm is acknowledged", SOON, || {
        let alarm = api.get(&format!("/api/v1/alarms/{id}"));
        let text = alarm.to_string();
        if text.contains("\"acknowledgedAt\":\"") || text.contains("\"acknowledged\":true") {
            Ok(())
        } else {
            Err(alarm)
        }
    });
    let activity = wait_until("an activity is on the board", SOON, || {
        let activities = api.get("/api/v1/activities");
        activities["activities"].get(0).cloned().ok_or(activities)
    });
    assert_eq!(activity["priority"], "high", "the rule's severity becomes the priority: {activity}");
    assert_eq!(api.get("/api/v1/alarms")["total"], 1);
    assert_eq!(api.get("/api/v1/activities")["total"], 1);
}
