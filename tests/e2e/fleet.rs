//! Devices on assets with a rule each, and readings whose consequences are known beforehand: every episode is two readings
//! of each device, one alarm and one activity. What does not live here: what happens to the platform meanwhile.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::api_client::Api;
use crate::clients::paho;
use crate::fixtures::{self, Device, now_millis};
use crate::platform::Platform;
use crate::wait::wait_until;

/// Degrees of an episode: above the rule's 80, and below.
const HOT: f64 = 90.0;
const COOL: f64 = 50.0;

/// Devices and what they were made to say.
pub struct Fleet {
    devices: Vec<(Device, String)>,
    port: u16,
    episodes: usize,
}

impl Fleet {
    pub fn new(platform: &Platform, api: &Api, count: usize) -> Self {
        let one = |n: usize| {
            let device = fixtures::device(api, platform.folder.path(), &format!("CREW-{n}"));
            let asset = fixtures::asset(api, &device);
            fixtures::hot_rule(api, &asset);
            (device, asset)
        };
        Self { devices: (0..count).map(one).collect(), port: platform.mqtt_port(), episodes: 0 }
    }

    /// Has every device publish a hot reading and a cool one.
    pub fn episode(&mut self) {
        let port = self.port;
        thread::scope(|scope| {
            for (device, _) in &self.devices {
                scope.spawn(move || {
                    let payloads = [fixtures::reading(HOT, 0), fixtures::reading(COOL, 5)];
                    let deadline = now_millis() + 60_000;
                    // A door that was just restarted may refuse for a moment; nothing was taken then.
                    while paho(device, port, "3.1.1", &device.topic, &payloads).acknowledged() != 2 {
                        assert!(now_millis() < deadline, "{} is not let in", device.id);
                    }
                });
            }
        });
        self.episodes += 1;
    }

    /// Waits until each episode of each device has its alarm and its activity, and no more than that.
    pub fn settled(&self, api: &Api, within: Duration) {
        let expected = self.episodes * self.devices.len();
        wait_until("every episode has its alarm and its activity", within, || {
            let total = |path: &str| api.try_get(path).1["total"].as_u64().unwrap_or(0) as usize;
            let seen = (total("/api/v1/alarms?limit=1"), total("/api/v1/activities?limit=1"));
            if seen == (expected, expected) { Ok(()) } else { Err((seen, expected)) }
        });
    }

    /// Compares history, alarms and health with what the devices were made to say.
    pub fn all_is_as_told(&self, api: &Api) {
        self.settled(api, Duration::from_secs(30));
        for (device, asset) in &self.devices {
            for of in [format!("device/{}", device.id), format!("asset/{asset}")] {
                let expected: Vec<_> = [HOT, COOL].repeat(self.episodes).into_iter().map(Value::from).collect();
                // History is written by itself, and may come after the alarms of its values.
                wait_until(&of, Duration::from_secs(30), || {
                    let answer = api.get(&format!("/api/v1/telemetry/{of}?metricKey=temperature"));
                    let points = answer["data"].as_array().unwrap().iter();
                    let values: Vec<_> = points.map(|point| point["value"].clone()).collect();
                    if values == expected { Ok(()) } else { Err(values) }
                });
            }
            let shown = api.get(&format!("/api/v1/assets/{asset}")).to_string();
            assert!(shown.contains("\"healthScore\":100"), "{shown}");
        }
        let alarms = api.get("/api/v1/alarms?limit=1000");
        let of = |asset: &String| {
            let alarms = alarms["alarms"].as_array().unwrap().iter();
            alarms.filter(|alarm| alarm["entityId"] == asset.as_str()).count()
        };
        assert!(self.devices.iter().all(|(_, asset)| of(asset) == self.episodes), "{alarms}");
    }
}
