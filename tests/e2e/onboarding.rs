//! Onboarding a fleet: devices imported from CSV with certificate bundles, payloads through a protocol converter, an
//! asset with a profile, and the replacement of a device.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api_client::Api;
use crate::clients;
use crate::fixtures::{Device, id};
use crate::platform::Platform;
use crate::wait::wait_until;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn imported_devices_feed_a_profiled_asset_and_one_is_replaced() {
    let platform = Platform::up();
    let (api, folder) = (platform.admin(), platform.folder.path());
    let kind = metered_type(&api);
    let file = "serialNumber,attribute.floor\nM-1,3\nM-2,4\n";
    let path = format!("/api/v1/devices/import?certificates=bundle&deviceTypeId={kind}");
    fs::write(folder.join("devices.zip"), api.post_file(&path, "text/csv", file)).unwrap();
    let unpack = ["-m", "zipfile", "-e", "devices.zip", "devices"];
    assert!(Command::new("python3").args(unpack).current_dir(folder).status().unwrap().success());
    let results = fs::read_to_string(folder.join("devices/results.ndjson")).unwrap();
    let results: Vec<Value> = results.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(results.iter().all(|line| line["result"] == "created"), "{results:?}");
    let device = bundled(&api, folder, results[0]["deviceId"].as_str().unwrap());

    let asset = profiled_asset(&api);
    api.post(
        &format!("/api/v1/devices/{}/assets/{asset}/link", device.id),
        json!({"validFrom": "2020-01-01T00:00:00Z"}),
    );
    let port = platform.mqtt_port();
    assert_eq!(clients::mosquitto(&device, port, "mqttv5", "08fc"), 0, "230 V as hexadecimal digits");
    let volts = |expected: f64| {
        wait_until("the asset's voltage", SOON, || {
            let latest = api.get(&format!("/api/v1/telemetry/asset/{asset}/latest"));
            if latest["metrics"]["voltage"]["value"] == expected { Ok(()) } else { Err(latest) }
        });
    };
    volts(230.0);
    assert_eq!(
        clients::mosquitto(&device, port, "mqttv5", "08"),
        0,
        "the listener accepts what the converter refuses later"
    );
    wait_until("a dead letter", SOON, || {
        let letters = api.get("/api/v1/dead-letters?reason=not_converted");
        if letters["total"] == 1 { Ok(()) } else { Err(letters) }
    });

    let new = json!({"serialNumber": "M-9", "reason": "struck by lightning"});
    let replaced = api.post(&format!("/api/v1/devices/{}/replace", device.id), new);
    let successor = Device {
        certificate: write(folder, "new.crt", &replaced["certificate"]["chain"]),
        key: write(folder, "new.key", &replaced["certificate"]["privateKey"]),
        id: device.id.clone(),
        root: device.root.clone(),
        topic: device.topic.clone(),
    };
    wait_until("the replaced device is refused", SOON, || match clients::mosquitto(&device, port, "mqttv5", "0000") {
        0 => Err("it was accepted"),
        _ => Ok(()),
    });
    assert_eq!(clients::mosquitto(&successor, port, "mqttv5", "0906"), 0);
    volts(231.0);
}

/// Creates a device type whose payload is one register in tenths of a volt, as hexadecimal digits.
fn metered_type(api: &Api) -> String {
    let kind = id(&api.post("/api/v1/device-types", json!({"name": "Meter"})), "/deviceType/id");
    let register = json!({"offset": 0, "kind": "u16"});
    let rule = json!({"target": "u", "register": register, "formula": "x / 10", "required": true});
    let converter = json!({"name": "Meter", "sourceProtocol": "modbus", "frame": {"encoding": "hex"}, "rules": [rule]});
    let converter = id(&api.post("/api/v1/protocol-converters", converter), "/protocolConverter/id");
    api.put(&format!("/api/v1/device-types/{kind}/converter"), json!({"converterId": converter}));
    kind
}

/// Creates an asset whose profile maps the device's metric to `voltage`.
fn profiled_asset(api: &Api) -> String {
    let kind = id(&api.post("/api/v1/asset-types", json!({"name": "Transformer"})), "/assetType/id");
    let mappings = json!({"device.u": "asset.voltage"});
    let profile = json!({"name": "250 kVA", "assetTypeId": kind, "telemetryMappings": mappings});
    let profile = id(&api.post("/api/v1/asset-profiles", profile), "/assetProfile/id");
    id(&api.post("/api/v1/assets", json!({"name": "T1", "profileId": profile})), "/asset/id")
}

/// Returns a device of the archive as described by its bundle.
fn bundled(api: &Api, folder: &Path, device: &str) -> Device {
    let bundle = folder.join("devices").join(device);
    let configuration: Value = serde_json::from_slice(&fs::read(bundle.join("config.json")).unwrap()).unwrap();
    assert_eq!(configuration["organizationId"], api.organization.as_str());
    Device {
        id: id(&configuration, "/deviceId"),
        topic: id(&configuration, "/mqtt/telemetryTopic"),
        certificate: bundle.join("device.crt"),
        key: bundle.join("device.key"),
        root: bundle.join("ca.crt"),
    }
}

fn write(folder: &Path, name: &str, text: &Value) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, text.as_str().expect("a text")).unwrap();
    path
}
