//! Refusals: connections with a revoked, self-signed or another device's certificate, and readings that become dead
//! letters.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::api_client::Api;
use crate::clients::{self, Answered};
use crate::fixtures::{self, Device, reading};
use crate::platform::Platform;
use crate::wait::wait_until;

#[test]
fn revoked_self_signed_and_other_devices_certificates_are_refused() {
    let platform = Platform::up();
    let api = platform.admin();
    let port = platform.mqtt_port();
    let device = fixtures::device(&api, platform.folder.path(), "SN-R");
    let other = fixtures::device(&api, platform.folder.path(), "SN-O");
    let send = |device: &Device| clients::paho(device, port, "3.1.1", &device.topic, &[reading(1.0, 0)]);
    assert_eq!(send(&device).acknowledged(), 1);

    let self_signed = self_signed(&device, platform.folder.path());
    assert!(matches!(send(&self_signed), Answered::Refused(_)), "a self-signed certificate must be refused");
    let impostor = Device { id: other.id.clone(), topic: other.topic.clone(), ..clone(&device) };
    assert!(matches!(send(&impostor), Answered::Refused(_)), "a certificate must not authenticate another device");

    api.post(&format!("/api/v1/devices/{}/certificate/revoke", device.id), json!({"reason": "stolen"}));
    let refused = wait_until("the revoked certificate is refused", Duration::from_secs(5), || match send(&device) {
        Answered::Refused(reason) => Ok(reason),
        answered => Err(answered),
    });
    assert!(!refused.is_empty());
    assert_eq!(send(&other).acknowledged(), 1, "other devices can still publish");
    wait_until("the refusal is a system event", Duration::from_secs(15), || {
        let events = api.get("/api/v1/events");
        if events.to_string().to_lowercase().contains("refused") { Ok(()) } else { Err(events) }
    });
}

#[test]
fn invalid_readings_become_dead_letters_and_do_not_stop_processing() {
    let platform = Platform::up();
    let api = platform.admin();
    let device = fixtures::device(&api, platform.folder.path(), "SN-B");
    let bad = [
        "{not json".to_owned(),
        json!({"ts": 1, "metrics": {"temperature": 1.0}}).to_string(),
        json!({"metrics": {"temperature": "warm"}}).to_string(),
        "{\"metrics\":{\"temperature\":NaN}}".to_owned(),
        json!({"metrics": {}}).to_string(),
        reading(21.5, 0),
    ];
    let answered = clients::paho(&device, platform.mqtt_port(), "5", &device.topic, &bad);
    assert_eq!(answered.acknowledged(), bad.len(), "refused readings are stored and acknowledged: {answered:?}");
    let foreign = format!("v1/telemetry/{}/{}", uuid::Uuid::nil(), device.id);
    clients::paho(&device, platform.mqtt_port(), "5", &foreign, &[reading(1.0, 0)]);
    let history =
        format!("/api/v1/telemetry/device/{}?metricKey=temperature&startTime=1960-01-01T00:00:00Z", device.id);
    wait_until("the good reading arrives", Duration::from_secs(15), || {
        let found = api.get(&history);
        if found["count"] == 1 && found["data"][0]["value"] == 21.5 { Ok(()) } else { Err(found) }
    });
    assert_dead_letter_is_redriven_after_its_cause_is_fixed(&api, &device);
}

/// Redrives a reading with text where a number was declared, after the device type was changed to declare text.
fn assert_dead_letter_is_redriven_after_its_cause_is_fixed(api: &Api, device: &Device) {
    let letter = wait_until("the dead letter is listed", Duration::from_secs(15), || {
        let letters = api.get(&format!("/api/v1/dead-letters?status=open&deviceId={}", device.id));
        let of_text =
            |letter: &&serde_json::Value| letter["payload"].as_str().is_some_and(|text| text.contains("warm"));
        letters["deadLetters"].as_array().unwrap().iter().find(of_text).cloned().ok_or(letters)
    });
    let shown = api.get(&format!("/api/v1/devices/{}", device.id));
    let kind = fixtures::id(&shown, "/device/deviceTypeId");
    let changed = json!({"name": "Texts", "metrics": [{"key": "temperature", "kind": "text"}]});
    api.put(&format!("/api/v1/device-types/{kind}"), changed);
    let outcome = api.post("/api/v1/dead-letters/redrive", json!({"ids": [letter["id"]]}));
    assert_eq!(outcome["results"][0]["success"], true, "{outcome}");
    wait_until("the reading arrives", Duration::from_secs(15), || {
        let latest = api.get(&format!("/api/v1/telemetry/device/{}/latest", device.id));
        let history = api.get(&format!("/api/v1/telemetry/device/{}?metricKey=temperature", device.id));
        if history.to_string().contains("warm") || latest.to_string().contains("warm") {
            Ok(())
        } else {
            Err((latest, history))
        }
    });
}

fn clone(device: &Device) -> Device {
    Device {
        id: device.id.clone(),
        certificate: device.certificate.clone(),
        key: device.key.clone(),
        root: device.root.clone(),
        topic: device.topic.clone(),
    }
}

/// Returns the device with a self-signed certificate of the same name.
fn self_signed(device: &Device, folder: &std::path::Path) -> Device {
    let (certificate, key) = (folder.join("foreign.crt"), folder.join("foreign.key"));
    let subject = format!("/CN={}", device.id);
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj"])
        .arg(&subject)
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl starts");
    assert!(made.status.success() && fs::metadata(&key).is_ok());
    Device { certificate, key, ..clone(device) }
}
