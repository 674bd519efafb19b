//! A cluster of nats-server nodes for tests of replication. Each node can be killed, paused, cut off and restarted by
//! number. A single server is part of a [`Stack`](crate::Stack).

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::data_folder::DataFolder;
use crate::error::Error;
use crate::install::ensure_installed;
use crate::logs;
use crate::node_networks::NodeNetworks;
use crate::open_file_limit::raise_open_file_limit;
use crate::options::{FILE_STORE_TESTS, READY_WITHIN};
use crate::ports::free_port;
use crate::process::{Launch, Process};
use crate::protocols;
use crate::server::Server;
use crate::servers::nats::{MAX_MEMORY, quoted};

/// How long a node may take to stop before it is killed; it transfers its leaderships first.
const STOP_WITHIN: Duration = Duration::from_secs(15);
/// Pause between two health checks of a node.
const PROBE_PAUSE: Duration = Duration::from_millis(50);

/// What to start, and where.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// The folder for data, logs and configuration; created when absent.
    pub data_dir: PathBuf,
    /// The number of nodes.
    pub nodes: usize,
    /// Lines appended to the configuration of each node, such as users and TLS.
    pub configuration: String,
    /// Whether each node gets its own network, where this process may create one, so that it can be cut off.
    pub networks: bool,
    /// Whether a missing nats-server may be installed.
    pub install: bool,
    /// How long the cluster may take until all nodes are healthy.
    pub ready_within: Duration,
}

impl ClusterOptions {
    /// Returns options for three nodes, each with its own network where possible.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            nodes: 3,
            configuration: String::new(),
            networks: true,
            install: true,
            ready_within: READY_WITHIN,
        }
    }
}

/// A running cluster. Like a stack, it ends when it is dropped and when this process ends for any reason.
#[derive(Debug)]
pub struct Cluster {
    // Declared before the networks and the folder, so that the nodes are dropped first.
    nodes: Vec<Node>,
    network: Option<NodeNetworks>,
    folder: DataFolder,
    ready_within: Duration,
}

#[derive(Debug)]
struct Node {
    name: String,
    client: SocketAddr,
    monitoring: SocketAddr,
    routes: SocketAddr,
    launch: Launch,
    process: Option<Process>,
}

impl Cluster {
    /// Starts all nodes at once and waits until each reports healthy: connected to the others, with a JetStream leader.
    pub async fn start(options: ClusterOptions) -> Result<Self, Error> {
        raise_open_file_limit();
        let install = options.install;
        let find = tokio::task::spawn_blocking(move || ensure_installed(&[Server::Nats], install)).await;
        let program = find.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?.nats;
        let folder = DataFolder::open(&options.data_dir).await?;
        let network = if options.networks { NodeNetworks::make(options.nodes) } else { None };
        let mut nodes: Vec<_> =
            (0..options.nodes).map(|n| Node::plan(n, &program, &folder, network.as_ref())).collect();
        let routes: Vec<_> = nodes.iter().map(|node| format!("nats-route://{}", node.routes)).collect();
        for node in &mut nodes {
            node.write(&routes, &options.configuration)?;
            node.process = Some(Process::spawn(&node.launch, folder.lock())?);
        }
        let cluster = Self { nodes, network, folder, ready_within: options.ready_within };
        for node in 0..options.nodes {
            cluster.wait_until_well(node).await?;
        }
        Ok(cluster)
    }

    /// Returns the addresses of all nodes, separated by commas.
    pub fn url(&self) -> String {
        (0..self.nodes.len()).map(|node| self.node_url(node)).collect::<Vec<_>>().join(",")
    }

    /// Returns the address of one node.
    pub fn node_url(&self, node: usize) -> String {
        self.nodes.get(node).map(|node| format!("nats://{}", node.client)).unwrap_or_default()
    }

    /// Returns the number of the node with this name in the cluster.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// Returns the process id of a running node.
    pub fn pid(&self, node: usize) -> Option<u32> {
        let process = self.nodes.get(node)?.process.as_ref()?;
        process.ended().is_none().then(|| process.pid())
    }

    /// Returns a node's log file.
    pub fn log(&self, node: usize) -> PathBuf {
        self.nodes.get(node).map(|node| node.launch.log.clone()).unwrap_or_default()
    }

    /// Whether nodes have their own networks, so that a node keeps running while it is cut off.
    pub fn has_networks(&self) -> bool {
        self.network.is_some()
    }

    /// Kills a node with SIGKILL and waits until it has ended.
    pub async fn kill(&mut self, node: usize) -> Result<(), Error> {
        self.process(node)?.kill().await;
        Ok(())
    }

    /// Stops a node gracefully and waits until it has ended.
    pub async fn stop_node(&mut self, node: usize) -> Result<(), Error> {
        self.process(node)?.stop(STOP_WITHIN).await;
        Ok(())
    }

    /// Starts a killed or stopped node with the same addresses and data, and waits until it is healthy.
    pub async fn start_node(&mut self, node: usize) -> Result<(), Error> {
        let lock = self.folder.lock();
        let planned = self.nodes.get_mut(node).ok_or(Error::Node(node))?;
        planned.process = Some(Process::spawn(&planned.launch, lock)?);
        self.wait_until_well(node).await
    }

    /// Pauses a node with SIGSTOP: it neither responds nor ends.
    pub async fn pause(&self, node: usize) -> Result<(), Error> {
        if self.process(node)?.pause().await { Ok(()) } else { Err(Error::Node(node)) }
    }

    /// Resumes a paused node.
    pub fn resume(&self, node: usize) -> Result<(), Error> {
        self.process(node)?.resume();
        Ok(())
    }

    /// Cuts a node off from the other nodes and from its clients. Without its own network, the node is paused instead.
    pub async fn cut_off(&self, node: usize) -> Result<(), Error> {
        match &self.network {
            Some(network) => network.connect(node, false),
            None => self.pause(node).await,
        }
    }

    /// Reconnects a node that was cut off.
    pub fn join(&self, node: usize) -> Result<(), Error> {
        match &self.network {
            Some(network) => network.connect(node, true),
            None => self.resume(node),
        }
    }

    /// Waits until a node reports healthy, which includes having caught up with the others.
    pub async fn wait_until_well(&self, node: usize) -> Result<(), Error> {
        let deadline = Instant::now() + self.ready_within;
        let planned = self.nodes.get(node).ok_or(Error::Node(node))?;
        loop {
            let last = match tokio::time::timeout(Duration::from_secs(2), planned.probe()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no response".into(),
            };
            let (server, log) = (Server::Nats, planned.launch.log.clone());
            if let Some(status) = planned.process.as_ref().and_then(Process::ended) {
                return Err(Error::EndedEarly { server, status, tail: logs::tail(&log), log });
            }
            if Instant::now() > deadline {
                let seconds = self.ready_within.as_secs();
                return Err(Error::NotReady { server, seconds, last, tail: logs::tail(&log), log });
            }
            tokio::time::sleep(PROBE_PAUSE).await;
        }
    }

    fn process(&self, node: usize) -> Result<&Process, Error> {
        self.nodes.get(node).and_then(|node| node.process.as_ref()).ok_or(Error::Node(node))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Kill all nodes at once: a node that stops gracefully would first look for a node to take over its
        // leaderships.
        for process in self.nodes.iter().filter_map(|node| node.process.as_ref()) {
            process.kill_now();
        }
    }
}

impl Node {
    fn plan(number: usize, program: &Path, folder: &DataFolder, network: Option<&NodeNetworks>) -> Self {
        let name = format!("nats-{}", number + 1);
        let ip = network.map_or(Ipv4Addr::LOCALHOST.into(), |network| network.address(number));
        let address = |port: u16| SocketAddr::new(ip, if network.is_some() { port } else { free_port() });
        let directory = folder.path().join(&name);
        let enter = network.map(|network| network.enter(number).to_vec()).unwrap_or_default();
        let command = enter.into_iter().map(OsString::from).chain([program.into(), "--config".into()]);
        let mut command = command.chain([directory.join("nats.conf").into()]);
        Self {
            client: address(4222),
            monitoring: address(8222),
            routes: address(6222),
            launch: Launch {
                program: command.next().map(PathBuf::from).unwrap_or_default(),
                arguments: command.collect(),
                directory,
                account: None,
                log: folder.log(&name),
                stop_signal: Signal::SIGTERM,
            },
            process: None,
            name,
        }
    }

    fn write(&self, routes: &[String], more: &str) -> Result<(), Error> {
        let folder = &self.launch.directory;
        std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let path = folder.join("nats.conf");
        let (name, client, monitoring, listen) = (&self.name, self.client, self.monitoring, self.routes);
        let (store, routes) = (quoted(&folder.join("data").to_string_lossy()), routes.join(", "));
        let text = format!(
            r"# Written on every start; changes are lost.
server_name: {name}
listen: {client}
http: {monitoring}
max_payload: 1MB
cluster {{
  name: argusiq
  listen: {listen}
  routes: [{routes}]
}}
jetstream {{
  store_dir: {store}
  sync_interval: always
  max_memory_store: {MAX_MEMORY}
  max_file_store: {FILE_STORE_TESTS}
}}
{more}
"
        );
        std::fs::write(&path, text).map_err(Error::file("write", &path))
    }

    /// Succeeds when the node greets with its own name and JetStream is healthy.
    async fn probe(&self) -> Result<(), protocols::Error> {
        let greeting = protocols::nats_greeting(self.client).await?;
        if greeting.server_name != self.name {
            return Err(protocols::Error::OtherProgram(greeting.server_name));
        }
        protocols::nats_health(self.monitoring).await
    }
}
