//! A fleet of devices with known expected outcomes: each device feeds an asset with one rule, and each episode
//! publishes two readings per device, which must cause one alarm and one activity.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::api_client::Api;
use crate::clients::paho;
use crate::fixtures::{self, Device, now_millis};
use crate::platform::Platform;
use crate::wait::wait_until;

/// Temperature of the first reading of an episode, above the rule's limit of 80.
const HOT: f64 = 90.0;
/// Temperature of the second reading of an episode, below the limit.
const COOL: f64 = 50.0;

/// The devices with their assets, and how many episodes they have published.
pub struct Fleet {
    devices: Vec<(Device, String)>,
    port: u16,
    episodes: usize,
}

impl Fleet {
    /// Creates `count` devices, each with an asset and a rule.
    pub fn new(platform: &Platform, api: &Api, count: usize) -> Self {
        let create = |n: usize| {
            let device = fixtures::device(api, platform.folder.path(), &format!("FLEET-{n}"));
            let asset = fixtures::asset(api, &device);
            fixtures::hot_rule(api, &asset);
            (device, asset)
        };
        Self { devices: (0..count).map(create).collect(), port: platform.mqtt_port(), episodes: 0 }
    }

    /// Publishes one hot and one cool reading from every device, all devices in parallel.
    pub fn publish_episode(&mut self) {
        let port = self.port;
        thread::scope(|scope| {
            for (device, _) in &self.devices {
                scope.spawn(move || {
                    let payloads = [fixtures::reading(HOT, 0), fixtures::reading(COOL, 5)];
                    let deadline = now_millis() + 60_000;
                    // A listener that has just restarted may refuse the connection; then no reading was accepted.
                    while paho(device, port, "3.1.1", &device.topic, &payloads).acknowledged() != 2 {
                        assert!(now_millis() < deadline, "{} cannot connect", device.id);
                    }
                });
            }
        });
        self.episodes += 1;
    }

    /// Waits until there is exactly one alarm and one activity per device and episode.
    pub fn wait_until_settled(&self, api: &Api, within: Duration) {
        let expected = self.episodes * self.devices.len();
        wait_until("every episode has its alarm and its activity", within, || {
            let total = |path: &str| api.try_get(path).1["total"].as_u64().unwrap_or(0) as usize;
            let seen = (total("/api/v1/alarms?limit=1"), total("/api/v1/activities?limit=1"));
            if seen == (expected, expected) { Ok(()) } else { Err((seen, expected)) }
        });
    }

    /// Asserts that history, alarms and health match the published readings.
    pub fn assert_history_alarms_and_health(&self, api: &Api) {
        self.wait_until_settled(api, Duration::from_secs(30));
        for (device, asset) in &self.devices {
            for entity in [format!("device/{}", device.id), format!("asset/{asset}")] {
                let expected: Vec<_> = [HOT, COOL].repeat(self.episodes).into_iter().map(Value::from).collect();
                // A separate projection writes the history, possibly after the alarms of the same readings.
                wait_until(&entity, Duration::from_secs(30), || {
                    let answer = api.get(&format!("/api/v1/telemetry/{entity}?metricKey=temperature"));
                    let points = answer["data"].as_array().unwrap().iter();
                    let values: Vec<_> = points.map(|point| point["value"].clone()).collect();
                    if values == expected { Ok(()) } else { Err(values) }
                });
            }
            let shown = api.get(&format!("/api/v1/assets/{asset}")).to_string();
            assert!(shown.contains("\"healthScore\":100"), "{shown}");
        }
        let alarms = api.get("/api/v1/alarms?limit=1000");
        let alarm_count = |asset: &String| {
            let alarms = alarms["alarms"].as_array().unwrap().iter();
            alarms.filter(|alarm| alarm["entityId"] == asset.as_str()).count()
        };
        assert!(self.devices.iter().all(|(_, asset)| alarm_count(asset) == self.episodes), "{alarms}");
    }
}
