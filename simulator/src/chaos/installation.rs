//! The installation under test: three NATS nodes, PostgreSQL, Redis, a broker, and two processes of each role.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use stack::{Broker, Cluster, ClusterOptions, Options, Server, Stack, free_port};
use tokio::process::{Child, Command};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::fault::{Fault, FaultAction, Target};
use crate::args::Platform;

const ADMIN_EMAIL: &str = "chaos@argusiq.local";
/// The role processes: name and command line.
const ROLES: [(&str, &[&str]); 10] = [
    ("api-1", &["api"]),
    ("api-2", &["api"]),
    ("edge-1", &["ingest"]),
    ("edge-2", &["ingest"]),
    ("bridge-1", &["ingest", "--bridge"]),
    ("bridge-2", &["ingest", "--bridge"]),
    ("process-1", &["process"]),
    ("process-2", &["process"]),
    ("project-1", &["project"]),
    ("project-2", &["project"]),
];
/// Ports reserved for one process: HTTP, MQTT and those that follow.
const PORTS_PER_PROCESS: u16 = 10;
/// A process that exits within this time failed to start because a server was down, and is started again, as a
/// supervisor would. Later it must never exit on its own.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// The installation.
pub struct Installation {
    // Dropped before the servers, so that the roles end first.
    roles: Vec<Role>,
    cluster: Cluster,
    stack: Stack,
    binary: PathBuf,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    password: String,
    /// How often a process was started again because its start failed.
    pub starts_given_up: usize,
}

struct Role {
    name: &'static str,
    arguments: &'static [&'static str],
    base: u16,
    child: Option<Child>,
    started: Instant,
}

impl Installation {
    /// Starts everything and waits until it is ready.
    pub async fn start(folder: &Path, event_store: &str) -> anyhow::Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("argusiq");
        let password = format!("chaos-{}", rand::random::<u64>());
        let init = Command::new(&binary).arg("--data-dir").arg(folder).args(["ca", "init"]).output().await;
        let init = init.with_context(|| format!("failed to start {}; build it first", binary.display()))?;
        ensure!(init.status.success(), "ca init: {}", String::from_utf8_lossy(&init.stderr));
        let options = ClusterOptions { networks: false, ..ClusterOptions::new(folder.join("nats")) };
        let cluster = Cluster::start(options).await?;
        let pki = folder.join("pki");
        let broker = Broker {
            authority_file: pki.join("root.crt"),
            certificate_file: pki.join("server.crt"),
            key_file: pki.join("server.key"),
            revocation_file: None,
            user: "bridge".to_owned(),
            password: password.clone(),
            dynamic_security: false,
        };
        let options = Options { nats: false, ..Options::throwaway(folder.join("servers")).with_mosquitto(broker) };
        let stack = Stack::start(options).await?;
        let environment = environment(&cluster, &stack, &password, event_store);
        let roles = ROLES.map(|(name, arguments)| Role {
            name,
            arguments,
            base: free_base(),
            child: None,
            started: Instant::now(),
        });
        let folder = folder.to_owned();
        let mut installation =
            Self { roles: roles.into(), cluster, stack, binary, folder, environment, password, starts_given_up: 0 };
        installation.output(&["migrate"]).await?;
        for role in 0..installation.roles.len() {
            installation.start_role(role)?;
        }
        installation.wait_until_recovered(Duration::from_secs(120)).await?;
        Ok(installation)
    }

    /// Returns the address and credentials of the platform.
    pub fn platform(&self) -> Platform {
        Platform {
            api: self.api(0),
            mqtt: self.mqtt_address("edge-1"),
            email: ADMIN_EMAIL.to_owned(),
            password: self.password.clone(),
        }
    }

    /// Returns `host:port` of an edge by name, or of the broker.
    pub fn mqtt_address(&self, name: &str) -> String {
        let edge = self.roles.iter().find(|role| role.name == name);
        edge.map_or_else(
            || format!("localhost:{}", self.stack.ports().broker_tls),
            |role| format!("localhost:{}", role.base + 1),
        )
    }

    /// Lists everything that a fault can hit.
    pub fn targets(&self) -> Vec<Target> {
        let roles = self.roles.iter().enumerate().map(|(number, role)| Target::Role(number, role.name));
        let servers = [Server::Postgres, Server::Redis, Server::Mosquitto].map(Target::Server);
        roles.chain((0..3).map(Target::Node)).chain(servers).collect()
    }

    /// Injects a fault and, unless the target recovers on its own, undoes it.
    pub async fn inject(&mut self, fault: &Fault) -> anyhow::Result<()> {
        match (fault.target, fault.action) {
            (Target::Role(role, _), FaultAction::Kill) => {
                self.child(role)?.kill().await?;
                self.start_role(role)
            }
            (Target::Role(role, _), FaultAction::Restart) => {
                let child = self.child(role)?;
                signal(child.id(), "TERM").await?;
                tokio::time::timeout(STOP_TIMEOUT, child.wait()).await.context("the process does not stop")??;
                self.start_role(role)
            }
            (Target::Role(role, _), FaultAction::Pause(time)) => pause(self.child(role)?.id(), time).await,
            (Target::Node(node), FaultAction::Kill) => {
                self.cluster.kill(node).await?;
                Ok(self.cluster.start_node(node).await?)
            }
            (Target::Node(node), FaultAction::Restart) => {
                self.cluster.stop_node(node).await?;
                Ok(self.cluster.start_node(node).await?)
            }
            (Target::Node(node), FaultAction::Pause(time)) => {
                self.cluster.pause(node).await?;
                sleep(time).await;
                self.cluster.resume(node)?;
                Ok(self.cluster.wait_until_well(node).await?)
            }
            (Target::Server(server), FaultAction::Kill) => {
                self.stack.kill(server).await?;
                Ok(self.stack.restart(server).await?)
            }
            (Target::Server(server), FaultAction::Restart) => Ok(self.stack.restart(server).await?),
            (Target::Server(server), FaultAction::Pause(time)) => pause(self.stack.pid(server), time).await,
        }
    }

    /// Waits until both APIs are ready and every process runs; returns how long that took.
    pub async fn wait_until_recovered(&mut self, within: Duration) -> anyhow::Result<Duration> {
        let began = Instant::now();
        loop {
            self.supervise()?;
            if self.is_ready(0).await && self.is_ready(1).await {
                return Ok(began.elapsed());
            }
            ensure!(began.elapsed() < within, "the platform was not ready again within {within:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Restarts processes whose start failed; returns an error if any other process has exited.
    fn supervise(&mut self) -> anyhow::Result<()> {
        for number in 0..self.roles.len() {
            let role = &mut self.roles[number];
            let Some(status) = role.child.as_mut().map(Child::try_wait).transpose()?.flatten() else { continue };
            ensure!(role.started.elapsed() < START_TIMEOUT, "{} exited on its own with {status}", role.name);
            println!("          {} failed to start with {status}", role.name);
            self.starts_given_up += 1;
            self.start_role(number)?;
        }
        Ok(())
    }

    /// Runs a command of the platform to its end; returns its output and whether it succeeded.
    pub async fn output(&self, arguments: &[&str]) -> anyhow::Result<(String, bool)> {
        let output = self.command().args(arguments).output().await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            println!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok((text, output.status.success()))
    }

    /// Stops everything in order.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        for role in &self.roles {
            signal(role.child.as_ref().and_then(Child::id), "TERM").await?;
        }
        for role in &mut self.roles {
            if let Some(mut child) = role.child.take() {
                tokio::time::timeout(STOP_TIMEOUT, child.wait())
                    .await
                    .with_context(|| format!("{} does not stop", role.name))??;
            }
        }
        drop(self.cluster);
        Ok(self.stack.stop().await?)
    }

    fn api(&self, number: usize) -> String {
        format!("http://127.0.0.1:{}", self.roles[number].base)
    }

    async fn is_ready(&self, number: usize) -> bool {
        let address = format!("{}/ready", self.api(number));
        let answered = spawn_blocking(move || {
            let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5)));
            ureq::Agent::from(config.build()).get(&address).call().is_ok()
        });
        answered.await.unwrap_or(false)
    }

    fn child(&mut self, role: usize) -> anyhow::Result<&mut Child> {
        self.roles[role].child.as_mut().context("the process is not running")
    }

    fn start_role(&mut self, number: usize) -> anyhow::Result<()> {
        let role = &self.roles[number];
        let log = File::options().create(true).append(true).open(self.folder.join(format!("{}.log", role.name)))?;
        let mut command = self.command();
        command
            .args(["--port-base", &role.base.to_string()])
            .args(role.arguments)
            .env("ARGUSIQ_INSTANCE", role.name)
            .stdout(log.try_clone()?)
            .stderr(log);
        let role = &mut self.roles[number];
        (role.child, role.started) = (Some(command.spawn()?), Instant::now());
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--data-dir").arg(&self.folder).envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

fn environment(cluster: &Cluster, stack: &Stack, password: &str, event_store: &str) -> Vec<(String, String)> {
    let urls = stack.urls();
    let variables = [
        ("ARGUSIQ_NATS__URL", cluster.url()),
        ("ARGUSIQ_NATS__REPLICAS", "3".to_owned()),
        ("ARGUSIQ_EVENT_STORE", event_store.to_owned()),
        ("ARGUSIQ_POSTGRES__URL", urls.postgres.clone()),
        ("ARGUSIQ_REDIS__URL", urls.redis.clone()),
        ("ARGUSIQ_BRIDGE__URL", urls.broker.clone()),
        ("ARGUSIQ_BRIDGE__USER", "bridge".to_owned()),
        ("ARGUSIQ_BRIDGE__PASSWORD", password.to_owned()),
        ("ARGUSIQ_ADMIN_EMAIL", ADMIN_EMAIL.to_owned()),
        ("ARGUSIQ_ADMIN_PASSWORD", password.to_owned()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}

async fn pause(id: Option<u32>, time: Duration) -> anyhow::Result<()> {
    signal(id, "STOP").await?;
    sleep(time).await;
    signal(id, "CONT").await
}

async fn signal(id: Option<u32>, name: &str) -> anyhow::Result<()> {
    let id = id.context("the process is not running")?;
    let status = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status().await?;
    ensure!(status.success(), "failed to signal process {id}");
    Ok(())
}

/// Returns the first of as many consecutive free ports as a process may use.
fn free_base() -> u16 {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    loop {
        let base = free_port();
        if (base..base.saturating_add(PORTS_PER_PROCESS)).all(is_free) {
            return base;
        }
    }
}
