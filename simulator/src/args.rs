//! The command line. What does not live here: what the commands do.

use clap::{Parser, Subcommand};

/// Simulated devices that publish over MQTT with certificates made through the API.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// What to play.
    #[command(subcommand)]
    pub command: Command,
}

/// Where the platform is, and who asks.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Platform {
    /// Address of the API.
    #[arg(long, env = "ARGUSIQ_API", default_value = "http://127.0.0.1:3000")]
    pub api: String,
    /// `host:port` of the devices' door.
    #[arg(long, env = "ARGUSIQ_MQTT", default_value = "localhost:8883")]
    pub mqtt: String,
    /// E-mail address of an administrator.
    #[arg(long, env = "ARGUSIQ_ADMIN_EMAIL")]
    pub email: String,
    /// Password of the administrator.
    #[arg(long, env = "ARGUSIQ_ADMIN_PASSWORD", hide_env_values = true)]
    pub password: String,
}

/// What to play.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A sample organisation with assets, links and rules, and devices that measure once a second.
    Demo {
        /// Where the platform is.
        #[command(flatten)]
        platform: Platform,
        /// What to play.
        #[command(flatten)]
        demo: Demo,
    },
    /// Many messages, counted: rates, latencies, what is missing or doubled.
    Load {
        /// Where the platform is.
        #[command(flatten)]
        platform: Platform,
        /// What to play.
        #[command(flatten)]
        load: Load,
    },
    /// Start a platform beside this program, measure it, write the table to docs/benchmarks.md.
    Bench(Bench),
    /// Start a platform beside this program with many devices and a long audit trail, and ask its API.
    BenchApi(ApiBench),
    /// Start a production-like installation, kill, pause and restart what it consists of under load, and compare.
    Chaos(Chaos),
}

/// Options of the demo.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Demo {
    /// How many devices.
    #[arg(long, default_value_t = 20)]
    pub devices: u32,
    /// Stop by itself after so many seconds; otherwise on Ctrl-C.
    #[arg(long)]
    pub seconds: Option<u64>,
}

/// Options of a load.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Load {
    /// How many devices.
    #[arg(long, default_value_t = 1000)]
    pub devices: u32,
    /// Messages a second of all devices together.
    #[arg(long, default_value_t = 10_000.0)]
    pub rate: f64,
    /// Messages that a device writes at once.
    #[arg(long, default_value_t = 1)]
    pub burst: u32,
    /// Metrics in a message.
    #[arg(long, default_value_t = 10)]
    pub metrics: usize,
    /// Seconds to publish.
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
    /// Devices whose live feed is watched for its latency; with none, alarms are not timed either.
    #[arg(long, default_value_t = 20)]
    pub watch: u32,
    /// Seconds to wait until all that was acknowledged stands in the history.
    #[arg(long, default_value_t = 60)]
    pub settle: u64,
    /// Write the figures as JSON to this file.
    #[arg(long)]
    pub report: Option<std::path::PathBuf>,
}

/// Options of the benchmark.
#[derive(Clone, Debug, clap::Args)]
pub struct Bench {
    /// Messages a second, one step for each.
    #[arg(long, value_delimiter = ',', default_value = "1000,5000,10000", value_parser = crate::bench::rate)]
    pub rates: Vec<f64>,
    /// How many devices.
    #[arg(long, default_value_t = 1000)]
    pub devices: u32,
    /// Messages that a device writes at once.
    #[arg(long, default_value_t = 1)]
    pub burst: u32,
    /// Metrics in a message.
    #[arg(long, default_value_t = 10)]
    pub metrics: usize,
    /// Seconds of each step.
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
}

/// Options of the API's benchmark.
#[derive(Clone, Debug, clap::Args)]
pub struct ApiBench {
    /// Devices to import.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub devices: u32,
    /// Audit events to make.
    #[arg(long, default_value_t = 1_000_000)]
    pub events: u64,
    /// Clients at a time.
    #[arg(long, default_value_t = 50)]
    pub clients: usize,
    /// Requests a second of each client, in the steps at a pace.
    #[arg(long, default_value_t = 4.0, value_parser = crate::bench::rate)]
    pub pace: f64,
    /// Seconds of each step.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
}

/// Options of chaos.
#[derive(Clone, Debug, clap::Args)]
pub struct Chaos {
    /// How long things go wrong, minutes.
    #[arg(long, default_value_t = 10.0)]
    pub minutes: f64,
    /// Messages a second of all devices together.
    #[arg(long, default_value_t = 900.0)]
    pub rate: f64,
    /// How many devices.
    #[arg(long, default_value_t = 90)]
    pub devices: u32,
    /// Seed of the faults; made up and printed when absent.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where domain events are kept: `jetstream`, or `postgres`.
    #[arg(long, default_value = "jetstream")]
    pub event_store: String,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        Args::command().debug_assert();
    }
}
