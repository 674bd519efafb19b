//! Load from the simulator during a test: many devices publish, and afterwards the simulator compares every
//! acknowledged message with the stored history.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::platform::{EMAIL, PASSWORD, Platform, simulator};
use crate::wait::wait_until;

/// A simulator process that publishes load.
pub struct Load {
    child: Child,
    report: PathBuf,
    /// Fewest messages that count as load: a third of the requested number, as kills and restarts interrupt it.
    min_messages: u64,
}

impl Load {
    /// Starts `devices` devices that publish `rate` messages per second in total for `seconds` seconds. Returns once
    /// all are connected.
    pub fn start(platform: &Platform, devices: u32, rate: u32, seconds: u64) -> Self {
        let report = platform.folder.path().join("load.json");
        let child = Command::new(simulator())
            .args(["load", "--api", &platform.url(), "--mqtt", &format!("localhost:{}", platform.mqtt_port())])
            .args(["--email", EMAIL, "--password", PASSWORD, "--watch", "0"])
            .args(["--devices", &devices.to_string(), "--rate", &rate.to_string(), "--seconds", &seconds.to_string()])
            .args(["--settle", "120", "--report"])
            .arg(&report)
            .stdout(Stdio::null())
            .spawn()
            .expect("the simulator starts");
        tokio::task::block_in_place(|| wait_until_connected(platform, devices));
        Self { child, report, min_messages: u64::from(rate) * seconds / 3 }
    }

    /// Waits until the load ends and asserts that the history has every acknowledged message exactly once.
    pub fn assert_nothing_missing_or_duplicated(mut self) {
        let status = self.child.wait().expect("the simulator ends");
        assert!(status.success(), "the load failed: {status}");
        let figures: Value = serde_json::from_slice(&fs::read(&self.report).unwrap()).unwrap();
        assert!(figures["messages"].as_u64().unwrap() > self.min_messages, "too few messages: {figures}");
        assert_eq!((&figures["missing"], &figures["doubled"]), (&Value::from(0), &Value::from(0)), "{figures}");
        eprintln!("load: {figures}");
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // After a successful test it has already ended, and both calls do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_until_connected(platform: &Platform, devices: u32) {
    let api = platform.admin();
    wait_until("the devices are connected", Duration::from_secs(120), || {
        let online = api.get("/api/v1/devices?connectivity=online&limit=1")["total"].as_u64().unwrap_or(0);
        if online >= u64::from(devices) { Ok(()) } else { Err(online) }
    });
}
