//! Devices behind a mosquitto broker that uses the platform's certificates; the bridge keeps the broker's access list
//! in sync with the platform. Failures of the bridge are tested in `ingest/tests/bridge`.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use stack::{Broker, Options, Server, Stack};

use crate::api_client::Api;
use crate::clients::{self, Answered, paho};
use crate::fixtures::{self, Device, reading};
use crate::platform::Platform;
use crate::wait::wait_until;

const SOON: Duration = Duration::from_secs(20);
/// Base URL of the CRL distribution points in the certificates.
const CRL_BASE_URL: &str = "http://lists.argusiq.test/";
/// User and password of the broker's dynamic security administrator.
const ADMIN: (&str, &str) = ("keeper", "what the keeper knows");

/// A mosquitto broker and its TLS port for devices.
struct Site {
    broker: Stack,
    port: u16,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_admits_exactly_the_devices_that_the_platform_admits() {
    let mut platform = Platform::servers_only().await;
    platform.start_as("api", &["api"], &[("ARGUSIQ_HTTP__PUBLIC_URL", CRL_BASE_URL)]);
    ["process", "project"].iter().for_each(|role| platform.start(role));
    tokio::task::block_in_place(|| platform.wait_until_ready());
    let api = platform.admin();
    let site = Site::start(&platform, &api).await;
    tokio::task::block_in_place(|| {
        site.start_bridge(&mut platform);
        let (first, second) = (device(&api, &platform, "BEHIND-1"), device(&api, &platform, "BEHIND-2"));
        assert_crl_distribution_point(&first, &api.organization);
        site.publish_until_accepted(&api, &first, 1.0);
        site.publish_until_accepted(&api, &second, 2.0);
        let answered = paho(&first, site.port, "5", &second.topic, &[reading(3.0, 0)]);
        assert!(!accepted(&answered), "a device may publish only to its own topic: {answered:?}");

        let subscriber = site.subscribe(&first);
        wait_until_status(&api, &first, "online");
        let renewed = renew(&api, &first, platform.folder.path());
        wait_until_status(&api, &first, "offline");
        drop(subscriber);
        site.wait_until_refused(&first);
        site.publish_until_accepted(&api, &renewed, 4.0);

        platform.kill("bridge");
        revoke(&api, &renewed);
        site.start_bridge(&mut platform);
        site.wait_until_refused(&renewed);
        site.publish_until_accepted(&api, &second, 5.0);
        assert_eq!(values(&api, &first), [1.0, 4.0], "no other reading is stored");
        assert_eq!(values(&api, &second), [2.0, 5.0]);
    });
}

impl Site {
    /// Starts mosquitto with the platform's certificates and the root CA's CRL; the bridge later writes the other CRLs.
    async fn start(platform: &Platform, api: &Api) -> Self {
        let (folder, pki) = (platform.folder.path(), platform.folder.path().join("pki"));
        let list = folder.join("revoked.pem");
        fs::write(&list, api.text("/pki/crl.pem")).unwrap();
        let broker = Broker {
            authority_file: pki.join("root.crt"),
            certificate_file: pki.join("server.crt"),
            key_file: pki.join("server.key"),
            revocation_file: Some(list),
            user: ADMIN.0.into(),
            password: ADMIN.1.into(),
            dynamic_security: true,
        };
        let options = Options::throwaway(folder.join("broker")).with_mosquitto(broker).only(Server::Mosquitto);
        let broker = Stack::start(options).await.expect("a broker");
        let (_, port) = broker.urls().broker_tls.rsplit_once(':').unwrap();
        Self { port: port.parse().unwrap(), broker }
    }

    /// Starts the bridge, which creates the accounts of the bridge and the devices in the broker. Waits until the
    /// access list is in sync.
    fn start_bridge(&self, platform: &mut Platform) {
        let file = |name: &str| platform.folder.path().join(name).to_str().unwrap().to_owned();
        let (list, pid) = (file("revoked.pem"), file("broker/mosquitto/mosquitto.pid"));
        let (url, api) = (self.broker.urls().broker.clone(), platform.url());
        let settings = [
            ("ARGUSIQ_BRIDGE__URL", &*url),
            ("ARGUSIQ_BRIDGE__USER", "bridge"),
            ("ARGUSIQ_BRIDGE__PASSWORD", "what the bridge knows"),
            ("ARGUSIQ_BRIDGE__DYNAMIC_SECURITY__USER", ADMIN.0),
            ("ARGUSIQ_BRIDGE__DYNAMIC_SECURITY__PASSWORD", ADMIN.1),
            ("ARGUSIQ_BRIDGE__DYNAMIC_SECURITY__API_URL", &api),
            ("ARGUSIQ_BRIDGE__DYNAMIC_SECURITY__REVOCATION_FILE", &list),
            ("ARGUSIQ_BRIDGE__DYNAMIC_SECURITY__PID_FILE", &pid),
        ];
        let syncs = |platform: &Platform| platform.log("bridge").matches("the broker's access list is in sync").count();
        let before = syncs(platform);
        platform.start_as("bridge", &["ingest", "--bridge"], &settings);
        wait_until("the access list is in sync", SOON, || {
            if syncs(platform) > before { Ok(()) } else { Err(platform.log("bridge")) }
        });
    }

    /// Publishes a reading until the broker accepts it, and waits until it is stored.
    fn publish_until_accepted(&self, api: &Api, device: &Device, value: f64) {
        wait_until("the broker accepts a reading", SOON, || {
            let answered = paho(device, self.port, "5", &device.topic, &[reading(value, 0)]);
            if accepted(&answered) { Ok(()) } else { Err(answered) }
        });
        wait_until("the reading is stored", SOON, || {
            let values = values(api, device);
            if values.contains(&value) { Ok(()) } else { Err(values) }
        });
    }

    /// Waits until the broker refuses the device's connection.
    fn wait_until_refused(&self, device: &Device) {
        wait_until("the broker refuses the device", SOON, || {
            match paho(device, self.port, "5", &device.topic, &[reading(99.0, 0)]) {
                Answered::Refused(_) => Ok(()),
                answered => Err(answered),
            }
        });
    }

    /// Connects mosquitto_sub as the device, subscribed to its commands.
    fn subscribe(&self, device: &Device) -> Subscriber {
        clients::ensure_command("mosquitto_sub", "mosquitto-clients");
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "localhost", "-p", &self.port.to_string(), "-q", "1", "-i", &device.id]);
        command.args(["-t", &device.topic.replace("telemetry", "commands")]);
        command.arg("--cafile").arg(&device.root).arg("--cert").arg(&device.certificate).arg("--key").arg(&device.key);
        Subscriber(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("mosquitto_sub starts"))
    }
}

/// A connected mosquitto_sub; dropping it ends the connection.
struct Subscriber(Child);

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn device(api: &Api, platform: &Platform, serial: &str) -> Device {
    fixtures::device(api, platform.folder.path(), serial)
}

/// Returns whether the broker acknowledged and forwarded every message. Without a subscriber it acknowledges with
/// another reason code and drops the message.
fn accepted(answered: &Answered) -> bool {
    match answered {
        Answered::Lines(lines) => lines.iter().all(|line| line["acknowledged"] == true && line["reason"] == "Success"),
        Answered::Refused(_) => false,
    }
}

fn values(api: &Api, device: &Device) -> Vec<f64> {
    let history = api.get(&format!("/api/v1/telemetry/device/{}?metricKey=temperature", device.id));
    history["data"].as_array().unwrap().iter().filter_map(|point| point["value"].as_f64()).collect()
}

fn wait_until_status(api: &Api, device: &Device, wanted: &str) {
    wait_until(wanted, SOON, || {
        let shown = api.get(&format!("/api/v1/devices/{}", device.id));
        if shown["device"]["connectivityStatus"] == wanted { Ok(()) } else { Err(shown) }
    });
}

/// Renews a device's certificate without an overlap, which revokes the previous one.
fn renew(api: &Api, device: &Device, folder: &Path) -> Device {
    let path = format!("/api/v1/devices/{}/certificate/renew", device.id);
    let renewed = api.post(&path, json!({"overlapDays": 0}));
    let write = |name: &str, pointer: &str| {
        let path = folder.join(format!("renewed-{name}"));
        fs::write(&path, fixtures::id(&renewed, pointer)).unwrap();
        path
    };
    Device {
        id: device.id.clone(),
        certificate: write("device.crt", "/certificate/chain"),
        key: write("device.key", "/certificate/privateKey"),
        root: device.root.clone(),
        topic: device.topic.clone(),
    }
}

fn assert_crl_distribution_point(device: &Device, organization: &str) {
    let mut openssl = Command::new("openssl");
    let shown =
        openssl.args(["x509", "-noout", "-ext", "crlDistributionPoints", "-in"]).arg(&device.certificate).output();
    let shown = String::from_utf8(shown.expect("openssl starts").stdout).unwrap();
    assert!(shown.contains(&format!("URI:{CRL_BASE_URL}pki/{organization}/crl.der")), "{shown}");
}

fn revoke(api: &Api, device: &Device) {
    api.post(&format!("/api/v1/devices/{}/certificate/revoke", device.id), json!({"reason": "lost"}));
}
