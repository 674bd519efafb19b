//! One counted load through each door. Each load runs as its own process, so that faults and the ledger of acknowledged
//! messages stay independent.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::installation::Installation;
use crate::args::Chaos;

/// The doors, by name.
const DOORS: [&str; 3] = ["edge-1", "edge-2", "broker"];
/// Seconds that a load waits until the history is complete.
const SETTLE: u64 = 240;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(300);

/// The running loads.
pub struct Loads(Vec<Load>);

struct Load {
    door: &'static str,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    report: PathBuf,
}

impl Loads {
    /// Starts a load at each door and returns when all devices are connected.
    pub async fn start(
        installation: &Installation,
        chaos: &Chaos,
        seconds: u64,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let mut loads = Vec::new();
        for door in DOORS {
            let mut load = Load::start(installation, chaos, seconds, folder, door)?;
            load.connected().await.with_context(|| format!("the load through {door}"))?;
            loads.push(load);
        }
        Ok(Self(loads))
    }

    /// Waits until all loads have finished and returns the figures of each.
    pub async fn finish(self) -> anyhow::Result<Vec<(&'static str, Value)>> {
        let mut figures = Vec::new();
        for load in self.0 {
            figures.push((load.door, load.finish().await?));
        }
        Ok(figures)
    }
}

impl Load {
    fn start(
        installation: &Installation,
        chaos: &Chaos,
        seconds: u64,
        folder: &Path,
        door: &'static str,
    ) -> anyhow::Result<Self> {
        let platform = installation.platform();
        let report = folder.join(format!("load-{door}.json"));
        let parts = DOORS.len() as f64;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([
                "load",
                "--api",
                &platform.api,
                "--mqtt",
                &installation.mqtt_address(door),
                "--email",
                &platform.email,
            ])
            .args(["--rate", &(chaos.rate / parts).to_string()])
            .args(["--devices", &(f64::from(chaos.devices) / parts).ceil().to_string()])
            .args(["--seconds", &seconds.to_string(), "--settle", &SETTLE.to_string(), "--watch", "0", "--report"])
            .arg(&report)
            // Passed in the environment because every user of the machine can read command lines.
            .env("ARGUSIQ_ADMIN_PASSWORD", &platform.password)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self { door, child, lines, report })
    }

    async fn connected(&mut self) -> anyhow::Result<()> {
        let lines = &mut self.lines;
        let waiting = async {
            while let Some(line) = lines.next_line().await? {
                if line.ends_with("devices are connected") {
                    return Ok(());
                }
            }
            bail!("the load exited before its devices were connected")
        };
        timeout(CONNECT_TIMEOUT, waiting).await.context("timed out connecting the devices")?
    }

    async fn finish(mut self) -> anyhow::Result<Value> {
        // Drain the output, so that a full pipe never blocks the load.
        while self.lines.next_line().await?.is_some() {}
        let status = self.child.wait().await?;
        anyhow::ensure!(status.success(), "the load through {} ended with {status}", self.door);
        Ok(serde_json::from_slice(&std::fs::read(&self.report)?)?)
    }
}
