//! The command line. What does not live here: what the commands do.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use serde::Serialize;

/// An event-sourced IoT platform: devices over mTLS, a durable log, and everything rebuilt from it.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    /// Settings that every command understands.
    #[command(flatten)]
    pub flags: Flags,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that override the configuration file and the environment.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub struct Flags {
    /// Where keys, logs and the local stack's data live [default: .argusiq, or ARGUSIQ_DATA_DIR].
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// First of a block of ports: HTTP, MQTT and the servers follow each other [or ARGUSIQ_PORT_BASE].
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_base: Option<u16>,
    /// Log filter, e.g. `info,ingest=debug` [or ARGUSIQ_LOG].
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// What `argusiq` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine, servers included, until Ctrl-C.
    Up(Up),
    /// Run the HTTP API, the live feed and the page.
    Api,
    /// Run a devices' door.
    Ingest(Ingest),
    /// Run the stages of the telemetry path.
    Process(Only),
    /// Run the projections.
    Project(Only),
    /// Rebuild read models from the log.
    Replay {
        /// What to rebuild.
        #[command(subcommand)]
        what: Replay,
    },
    /// Create or update streams, buckets and tables.
    Migrate(Migrate),
    /// Print the users of all roles, with what each may do, for nats-server's configuration.
    NatsPermissions,
    /// Check the configuration, the servers, the streams, the clock and the certificates.
    Doctor,
    /// Ask the process on this machine whether it is well, as a container's health check does.
    Healthcheck {
        /// The port it answers on; that of `probe.port` when absent, else that of the API.
        #[arg(long)]
        port: Option<u16>,
    },
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
    /// List every setting as an environment variable, with its default.
    Settings,
    /// Whether the stored events are those that were stored.
    Audit {
        /// What to do.
        #[command(subcommand)]
        what: Audit,
    },
    /// Certificate authorities.
    Ca {
        /// What to do.
        #[command(subcommand)]
        what: Ca,
    },
}

/// Options of `up`.
#[derive(Args, Debug, Default)]
pub struct Up {
    /// Add a sample organisation with assets, links, rules and simulated devices.
    #[arg(long)]
    pub demo: bool,
    /// Simulated devices of the demo.
    #[arg(long, default_value_t = 20)]
    pub devices: u32,
    /// Stop by itself after so many seconds of demo, with a summary.
    #[arg(long)]
    pub seconds: Option<u64>,
}

/// Options of `migrate`.
#[derive(Args, Debug, Default)]
pub struct Migrate {
    /// Keep every stream and bucket in so many copies from now on, while the system runs.
    #[arg(long)]
    pub replicas: Option<usize>,
}

/// Which door `ingest` opens.
#[derive(Args, Debug, Default)]
pub struct Ingest {
    /// Read the messages of a broker that devices connect to (settings under `bridge`), and open no door of our own.
    #[arg(long)]
    pub bridge: bool,
}

/// A choice of stages or projections.
#[derive(Args, Debug, Default)]
pub struct Only {
    /// Only these, by name; all when absent.
    #[arg(long, num_args = 1..)]
    pub only: Vec<String>,
}

/// What can be rebuilt.
#[derive(Debug, Subcommand)]
pub enum Replay {
    /// Drop projections, rebuild them from the log, compare.
    Projections {
        /// Every projection.
        #[arg(long, conflicts_with = "names", required_unless_present = "names")]
        all: bool,
        /// These projections.
        names: Vec<String>,
    },
}

/// What can be done with certificate authorities.
#[derive(Debug, Subcommand)]
pub enum Ca {
    /// Make the root authority, the server's certificate and the master key where they are missing.
    Init,
    /// Seal the keys of all authorities and every other secret under a new master key; every role must have stopped.
    RotateMasterKey,
}

/// The proof of the log.
#[derive(Subcommand, Debug)]
pub enum Audit {
    /// Check the hash chain of every aggregate, and the log against seals; an error where anything differs.
    Verify {
        /// A file that `seal` wrote; may be given several times.
        #[arg(long = "seal")]
        seals: Vec<PathBuf>,
    },
    /// Sign what the log holds now: a Merkle root over the ends of all chains. Keep the files elsewhere.
    Seal {
        /// The folder for the files.
        #[arg(long = "out")]
        folder: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        Cli::command().debug_assert();
    }
}
