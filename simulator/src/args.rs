//! The command line.

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};

/// Simulated devices that publish over MQTT with certificates made through the API.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// The scenario to run.
    #[command(subcommand)]
    pub command: Command,
}

/// Address and credentials of the platform.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Platform {
    /// URL of the API.
    #[arg(long, env = "ARGUSIQ_API", default_value = "http://127.0.0.1:3000")]
    pub api: String,
    /// `host:port` of the MQTT listener.
    #[arg(long, env = "ARGUSIQ_MQTT", default_value = "localhost:8883")]
    pub mqtt: String,
    /// E-mail address of an administrator.
    #[arg(long, env = "ARGUSIQ_ADMIN_EMAIL")]
    pub email: String,
    /// Password of the administrator.
    #[arg(long, env = "ARGUSIQ_ADMIN_PASSWORD", hide_env_values = true)]
    pub password: String,
}

/// The scenarios.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a sample organisation with assets, links and rules, and devices that publish once a second.
    Demo {
        /// The platform.
        #[command(flatten)]
        platform: Platform,
        /// Options of the demo.
        #[command(flatten)]
        demo: Demo,
    },
    /// Publish a counted load and measure rates, latencies, missing and duplicate messages.
    Load {
        /// The platform.
        #[command(flatten)]
        platform: Platform,
        /// Options of the load.
        #[command(flatten)]
        load: Load,
    },
    /// Start a platform, measure it and write the table to docs/benchmarks.md.
    Bench(Bench),
    /// Start a platform with many devices and a long audit trail, and benchmark its API.
    BenchApi(ApiBench),
    /// Start a production-like installation, kill, pause and restart its parts under load, and verify the stored data.
    Chaos(Chaos),
}

/// Options of the demo.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Demo {
    /// Number of devices.
    #[arg(long, default_value_t = 20)]
    pub devices: u32,
    /// Stop after this many seconds; without it, run until Ctrl-C.
    #[arg(long)]
    pub seconds: Option<u64>,
}

/// Options of a load.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Load {
    /// Number of devices.
    #[arg(long, default_value_t = 1000)]
    pub devices: u32,
    /// Messages a second, all devices together.
    #[arg(long, default_value_t = 10_000.0)]
    pub rate: f64,
    /// Messages that a device sends in one burst.
    #[arg(long, default_value_t = 1)]
    pub burst: u32,
    /// Metrics per message.
    #[arg(long, default_value_t = 10)]
    pub metrics: usize,
    /// Duration of the load in seconds.
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
    /// Number of devices whose live feed is measured; with 0, alarm latency is not measured either.
    #[arg(long, default_value_t = 20)]
    pub watch: u32,
    /// Seconds to wait until the history holds every acknowledged message.
    #[arg(long, default_value_t = 60)]
    pub settle: u64,
    /// Write the figures as JSON to this file.
    #[arg(long)]
    pub report: Option<std::path::PathBuf>,
}

/// Options of the benchmark.
#[derive(Clone, Debug, clap::Args)]
pub struct Bench {
    /// Messages a second, one step for each rate.
    #[arg(long, value_delimiter = ',', default_value = "1000,5000,10000", value_parser = parse_rate)]
    pub rates: Vec<f64>,
    /// Number of devices.
    #[arg(long, default_value_t = 1000)]
    pub devices: u32,
    /// Messages that a device sends in one burst.
    #[arg(long, default_value_t = 1)]
    pub burst: u32,
    /// Metrics per message.
    #[arg(long, default_value_t = 10)]
    pub metrics: usize,
    /// Duration of each step in seconds.
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
}

/// Options of the API benchmark.
#[derive(Clone, Debug, clap::Args)]
pub struct ApiBench {
    /// Number of devices to import.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub devices: u32,
    /// Number of audit events to generate.
    #[arg(long, default_value_t = 1_000_000)]
    pub events: u64,
    /// Concurrent clients.
    #[arg(long, default_value_t = 50)]
    pub clients: usize,
    /// Requests a second of each client in the paced steps.
    #[arg(long, default_value_t = 4.0, value_parser = parse_rate)]
    pub pace: f64,
    /// Duration of each step in seconds.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
}

/// Options of the chaos run.
#[derive(Clone, Debug, clap::Args)]
pub struct Chaos {
    /// How long faults are injected, in minutes.
    #[arg(long, default_value_t = 10.0)]
    pub minutes: f64,
    /// Messages a second, all devices together.
    #[arg(long, default_value_t = 900.0)]
    pub rate: f64,
    /// Number of devices.
    #[arg(long, default_value_t = 90)]
    pub devices: u32,
    /// Seed of the fault sequence; random and printed if absent.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where domain events are stored: `jetstream` or `postgres`.
    #[arg(long, default_value = "jetstream")]
    pub event_store: String,
}

/// Parses a rate of 1 to 1,000,000 a second.
fn parse_rate(text: &str) -> anyhow::Result<f64> {
    let rate: f64 = text.parse().with_context(|| format!("{text:?} is not a number"))?;
    ensure!((1.0..=1e6).contains(&rate), "a rate must be between 1 and 1,000,000 a second");
    Ok(rate)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_definition_is_valid() {
        Args::command().debug_assert();
    }
}
