//! A command's events reach every read model: list, detail and history.

use std::time::Duration;

use serde_json::{Value, json};

use crate::api_client::Api;
use crate::fixtures;
use crate::platform::Platform;
use crate::wait::wait_until;

const SOON: Duration = Duration::from_secs(15);

#[test]
fn a_change_appears_in_list_detail_and_history_with_its_author() {
    assert_list_detail_and_history(&Platform::up());
}

/// Changes a device and asserts that list, detail and history show it.
pub fn assert_list_detail_and_history(platform: &Platform) {
    let api = platform.admin();
    let device = fixtures::device(&api, platform.folder.path(), "SN-7");
    let path = format!("/api/v1/devices/{}", device.id);
    let name_is = |wanted: &str| {
        wait_until("the device has its name", SOON, || {
            let found = api.try_get(&path);
            if found.1.to_string().contains(wanted) { Ok(found.1) } else { Err(found) }
        })
    };
    name_is("Device SN-7");
    api.put(&path, json!({"name": "Cellar pump"}));
    name_is("Cellar pump");
    let listed = api.get("/api/v1/devices?text=cellar");
    assert_eq!(listed["devices"][0]["id"], device.id.as_str(), "{listed}");

    api.post(&format!("{path}/decommission"), json!({"reason": "scrapped"}));
    let history = history_with(&api, &path, "DeviceDecommissioned");
    let types = types(&history);
    for wanted in ["DeviceRegistered", "DeviceRenamed", "CertificateIssued", "CertificateRevoked"] {
        assert!(types.contains(&wanted.to_owned()), "{wanted} is not in {types:?}");
    }
    assert!(history.to_string().contains("user:") || history.to_string().contains("\"actor\""), "{history}");

    let (status, problem) = api
        .try_post("/api/v1/devices", json!({"name": "x", "serialNumber": "SN-7", "deviceTypeId": uuid::Uuid::nil()}));
    assert!((400..500).contains(&status), "{status}: {problem}");
    assert!(problem["type"].is_string() && problem["title"].is_string(), "problem details: {problem}");
}

fn history_with(api: &Api, path: &str, event: &str) -> Value {
    wait_until("the history has the event", SOON, || {
        let history = api.get(&format!("{path}/history"));
        if types(&history).iter().any(|found| found == event) { Ok(history) } else { Err(history) }
    })
}

fn types(history: &Value) -> Vec<String> {
    let events = history["events"].as_array().or(history["history"].as_array()).cloned().unwrap_or_default();
    let name = |event: &Value| event["type"].as_str().or(event["eventType"].as_str()).map(str::to_owned);
    events.iter().filter_map(name).collect()
}
