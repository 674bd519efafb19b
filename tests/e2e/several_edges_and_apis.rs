//! Two edges (MQTT listeners) and two APIs on one log. The behaviour of a single edge is tested in `ingest/tests/edge`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::api_client::Api;
use crate::clients::{Feed, paho};
use crate::fixtures::{self, reading};
use crate::load::Load;
use crate::platform::{EMAIL, PASSWORD, Platform};
use crate::wait::{wait_for, wait_until};

/// Number of devices of the load.
const DEVICES: u32 = 50;
/// Longest time until the sessions of a stopped edge count as ended, and until they are back.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_edge_is_lost_and_recovers_without_missing_or_duplicate_readings() {
    let mut platform = Platform::servers_only().await;
    ["api", "process", "project"].iter().for_each(|role| platform.start(role));
    let south_port = stack::free_port();
    platform.start_as("north", &["ingest"], &[("ARGUSIQ_INSTANCE", "north")]);
    let http = stack::free_port().to_string();
    let (mqtt, http) = (("ARGUSIQ_MQTT__PORT", &*south_port.to_string()), ("ARGUSIQ_INGEST_HTTP__PORT", &*http));
    let south = [("ARGUSIQ_INSTANCE", "south"), mqtt, http];
    platform.start_as("south", &["ingest"], &south);
    tokio::task::block_in_place(|| {
        platform.wait_until_ready();
        let api = platform.admin();
        assert_second_edge_with_same_name_is_refused(&mut platform);
        assert_edges_write_disjoint_shards(&platform);
        let device = fixtures::device(&api, platform.folder.path(), "MOVES");
        let load = Load::start(&platform, DEVICES, 250, 60);
        for (port, value) in [(platform.mqtt_port(), 1.0), (south_port, 2.0), (platform.mqtt_port(), 3.0)] {
            assert_eq!(paho(&device, port, "5", &device.topic, &[reading(value, 0)]).acknowledged(), 1);
        }
        platform.signal("north", "STOP");
        wait_until_online(&api, |count| count == 0);
        assert_eq!(paho(&device, south_port, "5", &device.topic, &[reading(4.0, 0)]).acknowledged(), 1);
        wait_for(Duration::from_secs(3));
        platform.signal("north", "CONT");
        wait_until_online(&api, |count| count >= u64::from(DEVICES));
        load.assert_nothing_missing_or_duplicated();
        let path = format!("/api/v1/telemetry/device/{}?metricKey=temperature", device.id);
        let history = api.get(&path);
        let values: Vec<_> = history["data"].as_array().unwrap().iter().map(|point| point["value"].as_f64()).collect();
        assert_eq!(values, [1.0, 2.0, 3.0, 4.0].map(Some));
    });
}

fn assert_second_edge_with_same_name_is_refused(platform: &mut Platform) {
    let port = stack::free_port().to_string();
    platform.start_as(
        "twin",
        &["ingest"],
        &[("ARGUSIQ_INSTANCE", "south"), ("ARGUSIQ_MQTT__PORT", &port), ("ARGUSIQ_INGEST_HTTP__ENABLED", "false")],
    );
    let (status, log) = platform.wait_for_exit("twin");
    let errors: Vec<_> = log.lines().filter(|line| line.starts_with("argusiq: ")).collect();
    assert!(!status.success() && errors.len() == 1, "{log}");
    assert!(errors[0].contains("another live process") && errors[0].contains("ARGUSIQ_INSTANCE"), "{}", errors[0]);
}

fn assert_edges_write_disjoint_shards(platform: &Platform) {
    let output = platform.run(&["doctor"]);
    let shards_of = |edge: &str| -> Vec<String> {
        let line =
            output.lines().find(|line| line.contains(&format!("edge-{edge}"))).unwrap_or_else(|| panic!("{output}"));
        let (_, shards) = line.split_once("raw shards ").unwrap_or_else(|| panic!("{line}"));
        shards.split(' ').map(str::to_owned).collect()
    };
    let (north, south) = (shards_of("north"), shards_of("south"));
    assert!(north.len() == 2 && south.len() == 2 && north.iter().all(|shard| !south.contains(shard)), "{output}");
}

/// Waits until the number of online devices satisfies a condition.
fn wait_until_online(api: &Api, wanted: impl Fn(u64) -> bool) {
    wait_until("the number of online devices", SOON, || {
        let count = api.get("/api/v1/devices?connectivity=online&limit=1")["total"].as_u64().unwrap_or(0);
        if wanted(count) { Ok(()) } else { Err(count) }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn two_apis_serve_the_same_data_and_the_same_live_feed() {
    let mut platform = Platform::separate_roles().await;
    let port = stack::free_port();
    platform.start_as(
        "second",
        &["api"],
        &[("ARGUSIQ_HTTP__PORT", &port.to_string()), ("ARGUSIQ_ENROLL__ENABLED", "false")],
    );
    tokio::task::block_in_place(|| {
        let address = format!("http://127.0.0.1:{port}");
        wait_until("the second API is ready", SOON, || {
            let (status, body) = crate::api_client::probe(&format!("{address}/ready"));
            if status == 200 { Ok(()) } else { Err(body) }
        });
        let (first, second) = (platform.admin(), Api::sign_in(&address, EMAIL, PASSWORD));
        let device = fixtures::device(&first, platform.folder.path(), "SEEN");
        // Once one API has answered a command, the read models that both APIs share contain it.
        assert_eq!(second.get(&format!("/api/v1/devices/{}", device.id))["device"]["id"], device.id.as_str());
        let room = json!({"deviceId": device.id});
        let open = |api: &Api| Feed::open(&api.base, &first.token, &room, "websocket");
        let mut feeds = [open(&first), open(&second)];
        feeds.iter_mut().for_each(|feed| assert_eq!(feed.expect("subscribed", |_| true)["ok"], true));
        let payloads: Vec<_> = (0..20).map(|n| reading(f64::from(n), n.into())).collect();
        assert_eq!(paho(&device, platform.mqtt_port(), "5", &device.topic, &payloads).acknowledged(), 20);
        for feed in &mut feeds {
            let mut values_seen: Vec<f64> = Vec::new();
            while values_seen.len() < 20 {
                let next_value = values_seen.len() as f64;
                let next = |data: &Value| values(data).contains(&next_value);
                values_seen.extend(
                    values(&feed.expect("telemetry:batch", next)).into_iter().filter(|value| *value >= next_value),
                );
            }
            assert_eq!(values_seen, (0..20).map(f64::from).collect::<Vec<_>>());
        }
    });
}

/// Returns the temperatures of a batch.
fn values(batch: &Value) -> Vec<f64> {
    batch.as_array().unwrap().iter().filter_map(|one| one["metrics"]["temperature"].as_f64()).collect()
}
