//! The benchmark: a platform of its own, a counted load at each rate, reaction times, a table. What does not live here:
//! the load itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde::Serialize;
use tokio::task::spawn_blocking;

use crate::api::Api;
use crate::args::{Bench, Load};
use crate::beside::Beside;
use crate::cpu::Usage;
use crate::platform::Running;
use crate::reaction::{self, Reactions};
use crate::report;
use crate::revocation::{self, Revocation};
use crate::summary::Figures;
use crate::webhook::{self, Webhooks};
use crate::{demo, load};

/// One step of the benchmark.
#[derive(Debug, Serialize)]
pub struct Step {
    /// What was asked for, messages a second.
    pub asked: f64,
    /// What came out.
    pub figures: Figures,
    /// CPU microseconds a message, by program.
    pub cpu_us_per_message: Usage,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Results {
    /// When, as RFC 3339.
    pub measured_at: String,
    /// Of which commit.
    pub commit: String,
    /// On which machine.
    pub machine: String,
    /// One for each rate.
    pub steps: Vec<Step>,
    /// How fast the platform reacts, unloaded.
    pub reactions: Reactions,
    /// How soon webhooks tell of alarms.
    pub webhooks: Webhooks,
    /// How soon a revocation ends a live session at the edge.
    pub revocation: Revocation,
    /// The same behind a mosquitto that the bridge keeps.
    pub revocation_behind_a_broker: Revocation,
}

/// Measures, prints, and writes `docs/benchmarks.md` and `target/bench/pipeline.json`.
pub async fn run(bench: Bench) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("argusiq-bench-").tempdir()?;
    let running = Running::start(folder.path(), &[webhook::ALLOWED]).await?;
    let outcome = measure(&running, folder.path(), &bench).await;
    running.stop().await?;
    let results = outcome?;
    fs::create_dir_all("target/bench")?;
    fs::write("target/bench/pipeline.json", serde_json::to_string_pretty(&results)?)?;
    report::put(Path::new("docs/benchmarks.md"), "pipeline", &report::table(&results))?;
    println!("{}", report::table(&results));
    println!("{}", report::closing_line(&results));
    Ok(())
}

async fn measure(running: &Running, folder: &Path, bench: &Bench) -> anyhow::Result<Results> {
    let platform = &running.platform;
    let (at, email, password) = (platform.api.clone(), platform.email.clone(), platform.password.clone());
    let api = spawn_blocking(move || Api::sign_in(&at, &email, &password)).await??;
    let reactions = reaction::measure(&api, &platform.mqtt, &demo::tag()).await?;
    let webhooks = webhook::measure(&api, &platform.mqtt, &demo::tag()).await?;
    let revocation = revocation::measure(&api, &platform.mqtt, &demo::tag()).await?;
    let beside = Beside::start(running, folder, &api).await?;
    let behind = revocation::measure(&api, &beside.mqtt, &format!("{}-broker", demo::tag())).await;
    beside.stop().await?;
    let revocation_behind_a_broker = behind?;
    let mut steps = Vec::new();
    for rate in &bench.rates {
        steps.push(step(running, &api, bench, *rate).await?);
    }
    Ok(Results {
        measured_at: now(),
        commit: commit(),
        machine: machine(),
        steps,
        reactions,
        webhooks,
        revocation,
        revocation_behind_a_broker,
    })
}

async fn step(running: &Running, api: &Api, bench: &Bench, rate: f64) -> anyhow::Result<Step> {
    let load = Load {
        devices: bench.devices,
        rate,
        burst: bench.burst,
        metrics: bench.metrics,
        seconds: bench.seconds,
        watch: 20.min(bench.devices),
        settle: 120,
        report: None,
    };
    let roots: Vec<u32> = running.id().into_iter().chain([std::process::id()]).collect();
    let (figures, used) = load::play(api, &running.platform.mqtt, &load, &roots).await?;
    let messages = figures.messages.max(1) as f64;
    let cpu_us_per_message = used.into_iter().map(|(name, seconds)| (name, seconds * 1e6 / messages)).collect();
    Ok(Step { asked: rate, figures, cpu_us_per_message })
}

/// Returns which commit this was built from, as far as git says.
pub fn commit() -> String {
    let asked = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    asked.ok().map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default()
}

/// Returns what machine this is.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().next().and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    format!("{cores} cores, {}, {} GiB", model.trim_start_matches([' ', '\t', ':']), kib.unwrap_or_default() >> 20)
}

/// Returns the time, to the minute.
#[allow(clippy::disallowed_methods, reason = "a report says when it was made")]
pub fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%MZ").to_string()
}

/// Refuses rates that make no sense.
pub fn rate(text: &str) -> anyhow::Result<f64> {
    let rate: f64 = text.parse().with_context(|| format!("{text:?} is no number"))?;
    anyhow::ensure!((1.0..=1e6).contains(&rate), "a rate lies between 1 and 1,000,000 messages a second");
    Ok(rate)
}
