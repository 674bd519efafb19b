//! A mosquitto broker and a bridge attached to a running platform, for measuring the path through a broker.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use stack::{Broker, Options, Server, Stack};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::api::Api;
use crate::platform::RunningPlatform;

/// How long the bridge may take to bring the broker's access list in sync.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// The bridge logs this once the broker's access list is in sync.
const IN_SYNC_LOG_LINE: &str = "the broker's access list is in sync";

/// A mosquitto broker whose access list the bridge maintains.
pub struct BridgedBroker {
    /// `host:port` for devices.
    pub mqtt: String,
    broker: Stack,
    bridge: Child,
}

impl BridgedBroker {
    /// Starts both with the platform's keys, below its data directory.
    pub async fn start(running: &RunningPlatform, data_dir: &Path, api: &Api) -> anyhow::Result<Self> {
        let (pki, list) = (data_dir.join("pki"), data_dir.join("revoked.pem"));
        let client = api.clone();
        let root_list = tokio::task::spawn_blocking(move || client.get_text("/pki/crl.pem")).await??;
        fs::write(&list, root_list)?;
        let broker = Broker {
            authority_file: pki.join("root.crt"),
            certificate_file: pki.join("server.crt"),
            key_file: pki.join("server.key"),
            revocation_file: Some(list.clone()),
            user: "admin".to_owned(),
            password: "of the broker alone".to_owned(),
            dynamic_security: true,
        };
        let folder = data_dir.join("broker");
        let options = Options::throwaway(&folder).with_mosquitto(broker).only(Server::Mosquitto);
        let broker = Stack::start(options).await?;
        let (_, port) = broker.urls().broker_tls.rsplit_once(':').context("a port")?;
        let mqtt = format!("localhost:{port}");
        let log = data_dir.join("bridge.log");
        let bridge = Self::bridge(running, data_dir, &broker, &log)?;
        let began = Instant::now();
        while !fs::read_to_string(&log).unwrap_or_default().contains(IN_SYNC_LOG_LINE) {
            ensure!(
                began.elapsed() < READY_TIMEOUT,
                "the broker's access list does not get in sync: {}",
                fs::read_to_string(&log)?
            );
            sleep(Duration::from_millis(100)).await;
        }
        Ok(Self { mqtt, broker, bridge })
    }

    fn bridge(running: &RunningPlatform, data_dir: &Path, broker: &Stack, log: &Path) -> anyhow::Result<Child> {
        let [nats, postgres, redis] = running.servers();
        let pid_file = data_dir.join("broker/mosquitto/mosquitto.pid");
        let log = File::create(log)?;
        let binary = std::env::current_exe()?.with_file_name("argusiq");
        let bridge = Command::new(binary)
            .arg("--data-dir")
            .arg(data_dir)
            .args(["ingest", "--bridge"])
            .env("ARGUSIQ_INSTANCE", "bridge")
            .env("ARGUSIQ_LOG", "info")
            .env("ARGUSIQ_NATS__URL", nats)
            .env("ARGUSIQ_POSTGRES__URL", postgres)
            .env("ARGUSIQ_REDIS__URL", redis)
            .env("ARGUSIQ_BRIDGE__URL", &broker.urls().broker)
            .env("ARGUSIQ_BRIDGE__USER", "bridge")
            .env("ARGUSIQ_BRIDGE__PASSWORD", "of the bridge alone")
            .env("ARGUSIQ_BRIDGE__DYNAMIC_SECURITY__USER", "admin")
            .env("ARGUSIQ_BRIDGE__DYNAMIC_SECURITY__PASSWORD", "of the broker alone")
            .env("ARGUSIQ_BRIDGE__DYNAMIC_SECURITY__API_URL", &running.platform.api)
            .env("ARGUSIQ_BRIDGE__DYNAMIC_SECURITY__REVOCATION_FILE", data_dir.join("revoked.pem"))
            .env("ARGUSIQ_BRIDGE__DYNAMIC_SECURITY__PID_FILE", pid_file)
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn();
        bridge.context("failed to start the bridge")
    }

    /// Stops both.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.bridge.kill().await?;
        Ok(self.broker.stop().await?)
    }
}
