//! Everything that runs: three NATS nodes, PostgreSQL, Redis, a broker, and two processes of each role. What does not
//! live here: what is done to them, and when.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use stack::{Broker, Cluster, ClusterOptions, Options, Server, Stack, free_port};
use tokio::process::{Child, Command};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::fault::{Fault, Means, Victim};
use crate::args::Platform;

const EMAIL: &str = "chaos@argusiq.local";
/// Roles as processes: a name, and how it is started.
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
/// Ports of one process: HTTP, MQTT and what follows them.
const SPAN: u16 = 10;
/// A process that gives its start up while a server is away is started again, as any supervisor does. One that has run for
/// so long never ends by itself.
const START: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// The installation.
pub struct Crew {
    // Before the servers: roles end first.
    roles: Vec<Role>,
    cluster: Cluster,
    stack: Stack,
    binary: PathBuf,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    password: String,
    /// Processes that were started again because they gave up their start.
    pub starts_given_up: usize,
}

struct Role {
    name: &'static str,
    arguments: &'static [&'static str],
    base: u16,
    child: Option<Child>,
    started: Instant,
}

impl Crew {
    /// Starts everything and waits until it answers.
    pub async fn start(folder: &Path, event_store: &str) -> anyhow::Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("argusiq");
        let password = format!("chaos-{}", rand::random::<u64>());
        let init = Command::new(&binary).arg("--data-dir").arg(folder).args(["ca", "init"]).output().await;
        let init = init.with_context(|| format!("{} does not start; build it first", binary.display()))?;
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
        let mut crew =
            Self { roles: roles.into(), cluster, stack, binary, folder, environment, password, starts_given_up: 0 };
        crew.output(&["migrate"]).await?;
        for role in 0..crew.roles.len() {
            crew.start_role(role)?;
        }
        crew.recovered(Duration::from_secs(120)).await?;
        Ok(crew)
    }

    /// Where the platform is, and who may ask.
    pub fn platform(&self) -> Platform {
        Platform {
            api: self.api(0),
            mqtt: self.door("edge-1"),
            email: EMAIL.to_owned(),
            password: self.password.clone(),
        }
    }

    /// `host:port` of an edge by its name, or of the broker.
    pub fn door(&self, name: &str) -> String {
        let edge = self.roles.iter().find(|role| role.name == name);
        edge.map_or_else(
            || format!("localhost:{}", self.stack.ports().broker_tls),
            |role| format!("localhost:{}", role.base + 1),
        )
    }

    /// Everything that something can be done to.
    pub fn victims(&self) -> Vec<Victim> {
        let roles = self.roles.iter().enumerate().map(|(number, role)| Victim::Role(number, role.name));
        let servers = [Server::Postgres, Server::Redis, Server::Mosquitto].map(Victim::Server);
        roles.chain((0..3).map(Victim::Node)).chain(servers).collect()
    }

    /// Does it, and undoes it where it does not undo itself.
    pub async fn commit(&mut self, fault: &Fault) -> anyhow::Result<()> {
        match (fault.victim, fault.means) {
            (Victim::Role(role, _), Means::Kill) => {
                self.child(role)?.kill().await?;
                self.start_role(role)
            }
            (Victim::Role(role, _), Means::Restart) => {
                let child = self.child(role)?;
                signal(child.id(), "TERM").await?;
                tokio::time::timeout(STOP_WITHIN, child.wait()).await.context("it does not stop")??;
                self.start_role(role)
            }
            (Victim::Role(role, _), Means::Pause(time)) => pause(self.child(role)?.id(), time).await,
            (Victim::Node(node), Means::Kill) => {
                self.cluster.kill(node).await?;
                Ok(self.cluster.start_node(node).await?)
            }
            (Victim::Node(node), Means::Restart) => {
                self.cluster.stop_node(node).await?;
                Ok(self.cluster.start_node(node).await?)
            }
            (Victim::Node(node), Means::Pause(time)) => {
                self.cluster.pause(node).await?;
                sleep(time).await;
                self.cluster.resume(node)?;
                Ok(self.cluster.wait_until_well(node).await?)
            }
            (Victim::Server(server), Means::Kill) => {
                self.stack.kill(server).await?;
                Ok(self.stack.restart(server).await?)
            }
            (Victim::Server(server), Means::Restart) => Ok(self.stack.restart(server).await?),
            (Victim::Server(server), Means::Pause(time)) => pause(self.stack.pid(server), time).await,
        }
    }

    /// Waits until both APIs say that they are ready and every process runs; answers how long that took.
    pub async fn recovered(&mut self, within: Duration) -> anyhow::Result<Duration> {
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

    /// Starts again who gave up its start; errors when somebody else ended by itself.
    fn supervise(&mut self) -> anyhow::Result<()> {
        for number in 0..self.roles.len() {
            let role = &mut self.roles[number];
            let Some(status) = role.child.as_mut().map(Child::try_wait).transpose()?.flatten() else { continue };
            ensure!(role.started.elapsed() < START, "{} ended by itself with {status}", role.name);
            println!("          {} gave up its start with {status}", role.name);
            self.starts_given_up += 1;
            self.start_role(number)?;
        }
        Ok(())
    }

    /// Runs a command of the platform to its end; answers what it printed, and whether it succeeded.
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
                tokio::time::timeout(STOP_WITHIN, child.wait())
                    .await
                    .with_context(|| format!("{} stays", role.name))??;
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
        let asked = spawn_blocking(move || {
            let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5)));
            ureq::Agent::from(config.build()).get(&address).call().is_ok()
        });
        asked.await.unwrap_or(false)
    }

    fn child(&mut self, role: usize) -> anyhow::Result<&mut Child> {
        self.roles[role].child.as_mut().context("it does not run")
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
        ("ARGUSIQ_ADMIN_EMAIL", EMAIL.to_owned()),
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
    let id = id.context("it does not run")?;
    let status = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status().await?;
    ensure!(status.success(), "no signal reaches process {id}");
    Ok(())
}

/// The first of as many free ports in a row as a process may take.
fn free_base() -> u16 {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    loop {
        let base = free_port();
        if (base..base.saturating_add(SPAN)).all(is_free) {
            return base;
        }
    }
}
