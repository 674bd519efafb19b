//! The command line. `roles/` has one file for each subcommand.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use serde::Serialize;

/// An event-sourced IoT platform: devices over mTLS, a durable log, and everything rebuilt from it.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    /// Options that every command accepts.
    #[command(flatten)]
    pub flags: Flags,
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that override the configuration file and the environment.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub struct Flags {
    /// Folder of keys, logs and the local stack's data [default: .argusiq, or ARGUSIQ_DATA_DIR].
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// First of a block of consecutive ports: HTTP, MQTT, then the servers [or ARGUSIQ_PORT_BASE].
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_base: Option<u16>,
    /// Log filter, e.g. `info,ingest=debug` [or ARGUSIQ_LOG].
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// The subcommands of `argusiq`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run all roles and their servers on this machine until Ctrl-C.
    Up(Up),
    /// Run the HTTP API, the live feed and the page.
    Api,
    /// Accept telemetry from devices: MQTT with mutual TLS, and HTTPS.
    Ingest(Ingest),
    /// Run the stages of the telemetry path.
    Process(Only),
    /// Run the projections that maintain the read models.
    Project(Only),
    /// Rebuild read models from the log.
    Replay {
        /// The target.
        #[command(subcommand)]
        what: Replay,
    },
    /// Create or update streams, buckets and tables.
    Migrate(Migrate),
    /// Print the NATS users of all roles with their permissions, for nats-server's configuration.
    NatsPermissions,
    /// Print the effective configuration, and check keys, servers and streams.
    Doctor,
    /// Query `/health` of the process on this machine; for a container's health check.
    Healthcheck {
        /// Port of the probes [default: `probe.port`, else the API's port].
        #[arg(long)]
        port: Option<u16>,
    },
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
    /// List every setting as an environment variable, with its default.
    Settings,
    /// Verify that no stored event was changed or removed, or seal the log.
    Audit {
        /// The subcommand.
        #[command(subcommand)]
        what: Audit,
    },
    /// Manage the certificate authorities and the master key.
    Ca {
        /// The subcommand.
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
    /// Number of simulated devices.
    #[arg(long, default_value_t = 20)]
    pub devices: u32,
    /// Stop after this many seconds of demo and print a summary.
    #[arg(long)]
    pub seconds: Option<u64>,
}

/// Options of `migrate`.
#[derive(Args, Debug, Default)]
pub struct Migrate {
    /// Change the replicas of every stream and bucket, while the system runs.
    #[arg(long)]
    pub replicas: Option<usize>,
}

/// Options of `ingest`.
#[derive(Args, Debug, Default)]
pub struct Ingest {
    /// Subscribe to a broker that devices connect to (settings `bridge.*`) instead of listening.
    #[arg(long)]
    pub bridge: bool,
}

/// A choice of stages or projections.
#[derive(Args, Debug, Default)]
pub struct Only {
    /// Run only these [default: all].
    #[arg(long, num_args = 1..)]
    pub only: Vec<String>,
}

/// Targets of `replay`.
#[derive(Debug, Subcommand)]
pub enum Replay {
    /// Rebuild read models from the log and compare them with the present ones.
    Projections {
        /// Rebuild all read models.
        #[arg(long, conflicts_with = "names", required_unless_present = "names")]
        all: bool,
        /// Names of the read models to rebuild.
        names: Vec<String>,
    },
}

/// Subcommands of `ca`.
#[derive(Debug, Subcommand)]
pub enum Ca {
    /// Create the root CA, the server certificate and the master key unless they exist.
    Init,
    /// Re-encrypt all secrets, CA keys included, under a new master key. Stop every role first.
    RotateMasterKey,
}

/// Subcommands of `audit`.
#[derive(Subcommand, Debug)]
pub enum Audit {
    /// Verify the hash chain of every aggregate, and the log against seals; fails if anything differs.
    Verify {
        /// A `.seal` file to compare with; repeatable.
        #[arg(long = "seal")]
        seals: Vec<PathBuf>,
    },
    /// Sign a Merkle root over all hash chains. Store the files outside the installation.
    Seal {
        /// Folder to write the files to.
        #[arg(long = "out")]
        folder: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
