//! Gives each node of a cluster its own network, joined by a bridge, so that a node can be cut off. Uses network
//! namespaces (`ip-netns(8)`), which need root and the `ip` program.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;

use crate::error::Error;

/// Prefix of all names: `aq<process id>x<number>` and, for nodes, `…n<index>`. Short, because the kernel limits
/// interface names to 15 bytes.
const NAME: &str = "aq";

/// The networks of one cluster's nodes. They are removed on drop; those that a killed process leaves are removed by the
/// next one.
#[derive(Debug)]
pub(crate) struct NodeNetworks {
    name: String,
    subnet: [u8; 3],
    nodes: usize,
}

impl NodeNetworks {
    /// Creates networks for this many nodes; none where this process lacks the privileges.
    pub(crate) fn make(nodes: usize) -> Option<Self> {
        sweep();
        let taken = |subnet: &[u8; 3]| ip(&["-o", "addr"]).is_ok_and(|all| all.contains(&prefix(*subnet)));
        // 198.18.0.0/15 is reserved for network tests and never routed (RFC 2544).
        let start = std::process::id() as u8;
        let subnet = (0..=255).map(|n: u8| [198, 18, start.wrapping_add(n)]).find(|subnet| !taken(subnet))?;
        let network = Self { name: format!("{NAME}{}x{}", std::process::id(), subnet[2]), subnet, nodes };
        match network.set_up() {
            Ok(()) => Some(network),
            Err(error) => {
                tracing::info!(%error, "cannot create networks for the cluster's nodes; using the loopback interface");
                None
            }
        }
    }

    /// Returns the address of a node.
    pub(crate) fn address(&self, node: usize) -> IpAddr {
        let [a, b, c] = self.subnet;
        Ipv4Addr::new(a, b, c, u8::try_from(node + 1).unwrap_or(u8::MAX)).into()
    }

    /// Returns the command prefix that runs a program in a node's network.
    pub(crate) fn enter(&self, node: usize) -> [String; 4] {
        ["ip".into(), "netns".into(), "exec".into(), self.node(node)]
    }

    /// Connects or disconnects a node's link to the bridge.
    pub(crate) fn connect(&self, node: usize, connected: bool) -> Result<(), Error> {
        ip(&["link", "set", &self.node(node), if connected { "up" } else { "down" }]).map(drop)
    }

    fn node(&self, node: usize) -> String {
        format!("{}n{node}", self.name)
    }

    fn set_up(&self) -> Result<(), Error> {
        let gateway = format!("{}254/24", prefix(self.subnet));
        ip(&["link", "add", &self.name, "type", "bridge"])?;
        ip(&["addr", "add", &gateway, "dev", &self.name])?;
        ip(&["link", "set", &self.name, "up"])?;
        for node in 0..self.nodes {
            let (name, address) = (self.node(node), format!("{}/24", self.address(node)));
            ip(&["netns", "add", &name])?;
            ip(&["link", "add", &name, "type", "veth", "peer", "name", "eth0", "netns", &name])?;
            ip(&["link", "set", &name, "master", &self.name, "up"])?;
            ip(&["-n", &name, "addr", "add", &address, "dev", "eth0"])?;
            ip(&["-n", &name, "link", "set", "eth0", "up"])?;
            ip(&["-n", &name, "link", "set", "lo", "up"])?;
        }
        Ok(())
    }
}

impl Drop for NodeNetworks {
    fn drop(&mut self) {
        for node in 0..self.nodes {
            // Fails for networks that were never created.
            let _ = ip(&["netns", "del", &self.node(node)]);
            let _ = ip(&["link", "del", &self.node(node)]);
        }
        let _ = ip(&["link", "del", &self.name]);
    }
}

fn prefix([a, b, c]: [u8; 3]) -> String {
    format!("{a}.{b}.{c}.")
}

/// Removes the networks of processes that have ended.
fn sweep() {
    let gone = |name: &str| {
        let pid =
            name.strip_prefix(NAME).and_then(|rest| rest.split('x').next()).filter(|pid| pid.parse::<u32>().is_ok());
        pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    };
    for name in ip(&["netns", "list"]).unwrap_or_default().lines().filter_map(|line| line.split(' ').next()) {
        if gone(name) {
            let _ = ip(&["netns", "del", name]);
        }
    }
    let links = ip(&["-br", "link"]).unwrap_or_default();
    for name in links.lines().filter_map(|line| line.split([' ', '@']).next()).filter(|name| gone(name)) {
        let _ = ip(&["link", "del", name]);
    }
}

fn ip(arguments: &[&str]) -> Result<String, Error> {
    let failed = |reason: String| Error::Network { command: arguments.join(" "), reason };
    let output = Command::new("ip").args(arguments).output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
