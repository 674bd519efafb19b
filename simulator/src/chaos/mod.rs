//! The chaos run: a production-like installation on this machine under load through every door, while its parts are
//! killed, paused and restarted at random. In the end it compares every acknowledged message with the history and every
//! read model with its rebuild. The load itself is in `crate::load`.

mod consistency;
mod fault;
mod installation;
mod loads;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use serde_json::json;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::api::Api;
use crate::args::Chaos;
use crate::cpu;

use consistency::ConsistencyReport;
use fault::Fault;
use installation::Installation;
use loads::Loads;

/// Longest time from the end of a fault until the installation is ready again.
const RECOVERY: Duration = Duration::from_secs(90);
/// Pause between the recovery from one fault and the next fault, in milliseconds.
const CALM_MILLIS: std::ops::Range<u64> = 1_000..6_000;

/// The report in `target/bench/chaos.json`.
#[derive(Debug, Serialize)]
struct Report {
    seed: u64,
    event_store: String,
    minutes: f64,
    faults: usize,
    by_fault: std::collections::BTreeMap<String, usize>,
    longest_recovery_seconds: f64,
    starts_given_up: usize,
    cpu_us_per_message: f64,
    #[serde(flatten)]
    verdict: ConsistencyReport,
}

/// Runs the scenario and prints the report; returns an error if anything is missing, duplicated or different.
pub async fn run(chaos: Chaos) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("argusiq-chaos-").tempdir()?;
    let seed = chaos.seed.unwrap_or_else(|| rand::rng().random());
    println!("seed {seed}; logs are in {} until the end", folder.path().display());
    let outcome = play(&chaos, seed, folder.path()).await;
    if outcome.is_err() {
        println!("logs and data stay in {}", folder.keep().display());
    }
    outcome
}

async fn play(chaos: &Chaos, seed: u64, folder: &Path) -> anyhow::Result<()> {
    let mut installation = Installation::start(folder, &chaos.event_store).await?;
    let api = sign_in(&installation).await?;
    make_rule(&api).await?;
    let seconds = (chaos.minutes * 60.0).ceil() as u64;
    let loads = Loads::start(&installation, chaos, seconds, folder).await?;
    println!("the load runs; faults for {seconds} s");
    let mut random = SmallRng::seed_from_u64(seed);
    let (mut faults, mut longest) = (Vec::new(), Duration::ZERO);
    let began = Instant::now();
    while began.elapsed().as_secs() < seconds {
        let fault = Fault::choose(&installation.targets(), &mut random);
        println!("{:6.1} s  {fault}", began.elapsed().as_secs_f64());
        installation.inject(&fault).await.with_context(|| fault.to_string())?;
        let recovery = installation.wait_until_recovered(RECOVERY).await.with_context(|| format!("after {fault}"))?;
        longest = longest.max(recovery);
        faults.push(fault.kind());
        sleep(Duration::from_millis(random.random_range(CALM_MILLIS))).await;
    }
    let figures = loads.finish().await?;
    let verdict = ConsistencyReport::collect(&installation, &api, &figures).await?;
    let starts_given_up = installation.starts_given_up;
    installation.stop().await?;
    let cpu_us_per_message = cpu::of_ended_children() * 1e6 / verdict.messages.max(1) as f64;
    let mut by_fault = std::collections::BTreeMap::new();
    faults.iter().for_each(|kind| *by_fault.entry(kind.clone()).or_default() += 1);
    let longest_recovery_seconds = longest.as_secs_f64();
    let (minutes, faults) = (chaos.minutes, faults.len());
    let event_store = chaos.event_store.clone();
    report(&Report {
        seed,
        event_store,
        minutes,
        faults,
        by_fault,
        longest_recovery_seconds,
        starts_given_up,
        cpu_us_per_message,
        verdict,
    })
}

fn report(report: &Report) -> anyhow::Result<()> {
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/chaos.json", serde_json::to_string_pretty(report)?)?;
    let verdict = &report.verdict;
    println!("{}", serde_json::to_string_pretty(report)?);
    println!(
        "messages_per_second={:.0} values_per_second={:.0} cpu_us_per_message={:.1} p95_ms={:.0} missing={} doubled={}",
        verdict.messages_per_second,
        verdict.values_per_second,
        report.cpu_us_per_message,
        verdict.puback_p95_ms,
        verdict.missing,
        verdict.doubled,
    );
    verdict.ensure_consistent()
}

async fn sign_in(installation: &Installation) -> anyhow::Result<Api> {
    let platform = installation.platform();
    spawn_blocking(move || Api::sign_in(&platform.api, &platform.email, &platform.password)).await?
}

/// Creates a rule that every fifth device breaches repeatedly, so that there are alarms that could be duplicated.
async fn make_rule(api: &Api) -> anyhow::Result<()> {
    let rule = json!({
        "name": "Hot", "entityType": "device", "entityId": null, "metricKey": "temperature",
        "condition": {"operator": ">", "value": 90, "durationSeconds": 0}, "severity": "low",
        "action": {"type": "none"}, "cooldownSeconds": 1,
    });
    let api = api.clone();
    spawn_blocking(move || api.post("/api/v1/rules", &rule)).await??;
    Ok(())
}
