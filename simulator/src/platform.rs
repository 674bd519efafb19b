//! Runs a platform for a measurement: `argusiq up` with its own data directory and ports.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::args::Platform;

/// How long the servers and roles may take to become ready.
const READY_DEADLINE: Duration = Duration::from_secs(90);

/// How long they may take to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(40);

/// Consecutive ports that `up` uses.
const PORTS: u16 = 6;

/// A running platform.
pub struct RunningPlatform {
    child: Child,
    base: u16,
    /// Its address and credentials.
    pub platform: Platform,
}

impl RunningPlatform {
    /// Starts the `argusiq` binary next to this one, with its data in `data_dir` and additional environment variables.
    pub async fn start(data_dir: &Path, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("argusiq");
        let base = free_base()?;
        let platform = Platform {
            api: format!("http://127.0.0.1:{base}"),
            mqtt: format!("localhost:{}", base + 1),
            email: "bench@argusiq.local".to_owned(),
            password: format!("bench-{base}-{}", std::process::id()),
        };
        let log = std::fs::File::create(data_dir.join("argusiq.log"))?;
        let child = Command::new(&binary)
            .args(["--port-base", &base.to_string(), "--data-dir"])
            .arg(data_dir)
            .arg("up")
            .env("ARGUSIQ_ADMIN_EMAIL", &platform.email)
            .env("ARGUSIQ_ADMIN_PASSWORD", &platform.password)
            .envs(settings.iter().copied())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("failed to start {}; build it first", binary.display()))?;
        let mut running = Self { child, base, platform };
        running.wait_until_ready().await?;
        Ok(running)
    }

    /// Returns the URLs of its NATS, PostgreSQL and Redis.
    pub fn servers(&self) -> [String; 3] {
        let at = |offset: u16| self.base + offset;
        let postgres = format!("postgres://argusiq@127.0.0.1:{}/argusiq", at(4));
        [format!("nats://127.0.0.1:{}", at(2)), postgres, format!("redis://127.0.0.1:{}/", at(5))]
    }

    /// Returns its process id.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(id) = self.child.id() {
            Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        }
        tokio::time::timeout(STOP_DEADLINE, self.child.wait()).await.context("the platform does not stop")??;
        Ok(())
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let address = format!("{}/ready", self.platform.api);
        while began.elapsed() < READY_DEADLINE {
            if let Some(status) = self.child.try_wait()? {
                bail!("the platform exited with {status}; see argusiq.log in its data directory");
            }
            let url = address.clone();
            let ready = tokio::task::spawn_blocking(move || ureq::get(&url).call().is_ok()).await?;
            if ready {
                return Ok(());
            }
            sleep(Duration::from_millis(200)).await;
        }
        bail!("the platform was not ready within {READY_DEADLINE:?}; see argusiq.log in its data directory")
    }
}

fn free_base() -> anyhow::Result<u16> {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    // Below the ephemeral ports, which start at 32768 on Linux.
    let base = (20_000..32_000).step_by(16).find(|base| (*base..*base + PORTS).all(is_free));
    base.context("no six consecutive ports are free")
}
