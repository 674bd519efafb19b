//! The pipeline benchmark: starts a platform, measures reaction times and a counted load at each rate, and writes a
//! table. The load itself is in `load`.

use std::fs;
use std::path::Path;

use serde::Serialize;
use tokio::task::spawn_blocking;

use crate::api::Api;
use crate::args::{Bench, Load};
use crate::bridged_broker::BridgedBroker;
use crate::cpu::Usage;
use crate::platform::RunningPlatform;
use crate::provenance::{commit, machine, now};
use crate::reaction::{self, Reactions};
use crate::report;
use crate::revocation::{self, Revocation};
use crate::summary::Figures;
use crate::webhook::{self, Webhooks};
use crate::{load, run_tag};

/// One step of the benchmark.
#[derive(Debug, Serialize)]
pub struct Step {
    /// Requested rate, messages a second.
    pub asked: f64,
    /// What was measured.
    pub figures: Figures,
    /// CPU microseconds per message, by program.
    pub cpu_us_per_message: Usage,
}

/// The results of the whole benchmark.
#[derive(Debug, Serialize)]
pub struct Results {
    /// Time of the measurement, RFC 3339.
    pub measured_at: String,
    /// The commit under test.
    pub commit: String,
    /// The machine.
    pub machine: String,
    /// One step for each rate.
    pub steps: Vec<Step>,
    /// Reaction times of the unloaded platform.
    pub reactions: Reactions,
    /// Webhook latency of alarms.
    pub webhooks: Webhooks,
    /// How soon a revocation ends a live session at the edge.
    pub revocation: Revocation,
    /// The same for sessions at a mosquitto broker behind the bridge.
    pub revocation_behind_a_broker: Revocation,
}

/// Measures, prints the table and writes it to `docs/benchmarks.md` and `target/bench/pipeline.json`.
pub async fn run(bench: Bench) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("argusiq-bench-").tempdir()?;
    let running = RunningPlatform::start(folder.path(), &[webhook::ALLOWED]).await?;
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

async fn measure(running: &RunningPlatform, folder: &Path, bench: &Bench) -> anyhow::Result<Results> {
    let platform = &running.platform;
    let (at, email, password) = (platform.api.clone(), platform.email.clone(), platform.password.clone());
    let api = spawn_blocking(move || Api::sign_in(&at, &email, &password)).await??;
    let reactions = reaction::measure(&api, &platform.mqtt, &run_tag::new_tag()).await?;
    let webhooks = webhook::measure(&api, &platform.mqtt, &run_tag::new_tag()).await?;
    let revocation = revocation::measure(&api, &platform.mqtt, &run_tag::new_tag()).await?;
    let bridged_broker = BridgedBroker::start(running, folder, &api).await?;
    let behind = revocation::measure(&api, &bridged_broker.mqtt, &format!("{}-broker", run_tag::new_tag())).await;
    bridged_broker.stop().await?;
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

async fn step(running: &RunningPlatform, api: &Api, bench: &Bench, rate: f64) -> anyhow::Result<Step> {
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
