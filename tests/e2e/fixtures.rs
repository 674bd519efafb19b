//! Test fixtures created through the API: devices with certificates on disk, assets, rules and readings.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::api_client::Api;

/// A device created through the API, with its certificate and key on disk.
pub struct Device {
    pub id: String,
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub root: PathBuf,
    pub topic: String,
}

/// Creates a device type and a device of that type.
pub fn device(api: &Api, folder: &Path, serial: &str) -> Device {
    let kind = json!({"name": format!("Sensor {serial}"), "metrics": [{"key": "temperature", "unit": "Cel"}]});
    let kind = id(&api.post("/api/v1/device-types", kind), "/deviceType/id");
    let request = json!({"name": format!("Device {serial}"), "serialNumber": serial, "deviceTypeId": kind});
    let created = api.post("/api/v1/devices", request);
    let id = id(&created, "/device/id");
    let write = |name: &str, text: &str| {
        let path = folder.join(format!("{serial}-{name}"));
        fs::write(&path, text).unwrap();
        path
    };
    Device {
        certificate: write("device.crt", created["certificate"]["chain"].as_str().expect("a certificate chain")),
        key: write("device.key", created["certificate"]["privateKey"].as_str().expect("a private key")),
        root: write("ca.crt", &api.text("/pki/ca.pem")),
        topic: format!("v1/telemetry/{}/{id}", api.organization),
        id,
    }
}

/// Creates an asset fed by the device, whose health depends on its temperature: full up to 75, zero from 95.
pub fn asset(api: &Api, device: &Device) -> String {
    let band = json!({"metricKey": "temperature", "goodLow": 0, "goodHigh": 75, "limitLow": -20, "limitHigh": 95, "weight": 1});
    let kind = json!({"name": "Pump", "healthModel": {"bands": [band]}});
    let kind = id(&api.post("/api/v1/asset-types", kind), "/assetType/id");
    let asset = id(&api.post("/api/v1/assets", json!({"name": "Pump A", "assetTypeId": kind})), "/asset/id");
    let link = json!({"role": "primary", "validFrom": "2020-01-01T00:00:00Z"});
    api.post(&format!("/api/v1/devices/{}/assets/{asset}/link", device.id), link);
    asset
}

/// Creates a rule that creates an activity when the asset's temperature exceeds 80.
pub fn hot_rule(api: &Api, asset: &str) -> String {
    let template = json!({
        "name": "Inspect", "triggerEventType": "THRESHOLD_BREACH", "defaultPriority": "low",
        "defaultAssignedRole": "technician", "defaultDueHours": 2, "checklist": [{"item": "Look", "required": true}],
    });
    let template = id(&api.post("/api/v1/activity-templates", template), "/template/id");
    let rule = json!({
        "name": "Too hot", "entityType": "asset", "entityId": asset, "metricKey": "temperature",
        "condition": {"operator": ">", "value": 80, "durationSeconds": 0}, "severity": "high",
        "action": {"type": "create_activity", "templateId": template}, "cooldownSeconds": 0,
    });
    id(&api.post("/api/v1/rules", rule), "/rule/id")
}

/// Returns the id at a JSON pointer of a response.
pub fn id(answer: &Value, pointer: &str) -> String {
    answer.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {answer}")).to_owned()
}

/// Returns a payload with one temperature, measured `offset` milliseconds from now.
pub fn reading(temperature: f64, offset: i64) -> String {
    json!({"ts": now_millis() + offset, "metrics": {"temperature": temperature}}).to_string()
}

/// Returns the current Unix time in milliseconds.
#[allow(clippy::disallowed_methods, reason = "a device has a clock of its own")]
pub fn now_millis() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
}
