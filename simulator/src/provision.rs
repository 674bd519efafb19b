//! Creates devices and the demo's sample organisation through the API.

use anyhow::Context;
use rand::Rng;
use rand::distr::Alphanumeric;
use serde_json::{Value, json};

use crate::api::{Api, text};
use crate::device::Device;
use crate::fleet::Plan;
use crate::payload::{Instrument, SEQUENCE, usual_metrics};
use crate::tls::Connector;

/// A device with its certificate, as returned by the API.
#[derive(Clone, Debug)]
pub struct Provisioned {
    /// Its id.
    pub id: String,
    chain_pem: String,
    key_pem: String,
}

impl Provisioned {
    /// Returns its certificate chain, PEM: the device's, then the organisation CA's.
    pub fn chain_pem(&self) -> &str {
        &self.chain_pem
    }

    /// Returns its private key, PEM.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }
}

/// Creates a device type that declares the metrics of the simulated devices.
pub fn make_device_type(api: &Api, metrics: usize) -> anyhow::Result<String> {
    let keys = usual_metrics(1, metrics).into_iter().map(|(key, _)| key).chain([SEQUENCE.to_owned()]);
    let declared: Vec<Value> = keys.map(|key| json!({"key": key, "kind": "number"})).collect();
    let body = json!({"name": "Simulated pump sensor", "metrics": declared, "unknownMetrics": "keep"});
    text(&api.post("/api/v1/device-types", &body)?, "/deviceType/id")
}

/// Creates a device; its serial number carries the run's tag, so that runs do not collide.
pub fn make_device(api: &Api, device_type: &str, tag: &str, index: u32) -> anyhow::Result<Provisioned> {
    let body = json!({
        "name": format!("Sensor {:03}", index + 1),
        "serialNumber": format!("SIM-{tag}-{index:05}"),
        "deviceTypeId": device_type,
        // The answer contains the key, so no download link is needed.
        "downloadLink": false,
    });
    let answer = api.post("/api/v1/devices", &body).with_context(|| format!("device {index}"))?;
    Ok(Provisioned {
        id: text(&answer, "/device/id")?,
        chain_pem: text(&answer, "/certificate/chain")?,
        key_pem: text(&answer, "/certificate/privateKey")?,
    })
}

/// Builds the simulated device of a provisioned one.
pub fn build_device(
    device: &Provisioned,
    index: u32,
    root_pem: &str,
    api: &Api,
    plan: &Plan,
) -> anyhow::Result<Device> {
    let (host, _) = plan.mqtt.rsplit_once(':').context("the MQTT address must be host:port")?;
    Ok(Device {
        id: device.id.clone(),
        topic: format!("v1/telemetry/{}/{}", api.organization, device.id),
        connector: Connector::new(&device.chain_pem, &device.key_pem, root_pem, host)?,
        instrument: Instrument::new(usual_metrics(index, plan.metrics), f64::from(index * 7 % 40)),
        period: plan.period(),
        burst: plan.burst,
        seed: u64::from(index) + 1,
    })
}

/// The sample organisation, with its administrator signed in.
pub struct Sample {
    /// The administrator's API client.
    pub api: Api,
    /// The administrator's e-mail address.
    pub email: String,
    /// The administrator's password, generated for this run.
    pub password: String,
}

/// Creates the sample organisation and its administrator.
pub fn make_sample_organization(admin: &Api, base: &str, tag: &str) -> anyhow::Result<Sample> {
    let organization = admin.post("/api/v1/organizations", &json!({"name": format!("Northwind Water {tag}")}))?;
    let organization = text(&organization, "/organization/id")?;
    let email = format!("sample-{tag}@northwind.example");
    let password: String = rand::rng().sample_iter(Alphanumeric).take(16).map(char::from).collect();
    let user = json!({
        "email": email, "name": "Sample Administrator", "password": password, "role": "admin",
        "workRoles": ["technician"], "organizationId": organization,
    });
    admin.post("/api/v1/users", &user)?;
    Ok(Sample { api: Api::sign_in(base, &email, &password)?, email, password })
}

/// Creates assets, device links and rules.
pub fn make_sample_assets(api: &Api, devices: &[Provisioned]) -> anyhow::Result<()> {
    let band = |key: &str, good: (f64, f64), limit: (f64, f64), weight: f64| json!({"metricKey": key, "goodLow": good.0, "goodHigh": good.1, "limitLow": limit.0, "limitHigh": limit.1, "weight": weight});
    let bands = [
        band("temperature", (20.0, 75.0), (0.0, 95.0), 2.0),
        band("vibration", (0.0, 4.0), (-1.0, 8.0), 1.0),
        band("pressure", (98.0, 105.0), (90.0, 112.0), 1.0),
    ];
    let pump = json!({"name": "Pump", "healthModel": {"bands": bands}});
    let pump = text(&api.post("/api/v1/asset-types", &pump)?, "/assetType/id")?;
    let station = text(&api.post("/api/v1/asset-types", &json!({"name": "Pumping station"}))?, "/assetType/id")?;
    let mut stations = Vec::new();
    for name in ["Station North", "Station South"] {
        stations.push(make_asset(api, name, &station, None)?);
    }
    for (index, device) in devices.iter().enumerate() {
        let parent = &stations[index % stations.len()];
        let asset = make_asset(api, &format!("Pump {:02}", index + 1), &pump, Some(parent))?;
        api.post(&format!("/api/v1/devices/{}/assets/{asset}/link", device.id), &json!({"role": "primary"}))?;
    }
    make_sample_rules(api)
}

fn make_asset(api: &Api, name: &str, asset_type: &str, parent: Option<&String>) -> anyhow::Result<String> {
    let mut body = json!({"name": name, "assetTypeId": asset_type});
    if let Some(parent) = parent {
        body["parentId"] = json!(parent);
    }
    text(&api.post("/api/v1/assets", &body)?, "/asset/id")
}

fn make_sample_rules(api: &Api) -> anyhow::Result<()> {
    let template = json!({
        "name": "Inspect the pump", "triggerEventType": "THRESHOLD_BREACH", "defaultPriority": "high",
        "defaultAssignedRole": "technician", "defaultDueHours": 4,
        "checklist": [{"item": "Check the bearings", "required": true}, {"item": "Look for leaks", "required": false}],
    });
    let template = text(&api.post("/api/v1/activity-templates", &template)?, "/template/id")?;
    let hot = json!({
        "name": "Pump runs hot", "entityType": "asset", "metricKey": "temperature",
        "condition": {"operator": ">", "value": 85, "durationSeconds": 5}, "severity": "high",
        "action": {"type": "create_activity", "templateId": template}, "cooldownSeconds": 60,
    });
    let unhealthy = json!({
        "name": "Pump health is low", "entityType": "asset", "metricKey": "health_score",
        "condition": {"operator": "<", "value": 60, "durationSeconds": 0}, "severity": "medium",
        "action": {"type": "none"}, "cooldownSeconds": 60,
    });
    for rule in [hot, unhealthy] {
        api.post("/api/v1/rules", &rule)?;
    }
    Ok(())
}
