//! Chaos: a production-like installation on this machine, a load through every door, and something killed, paused or
//! restarted all the time. At the end the ledger of what was acknowledged is compared with the history, and every read
//! model with a rebuild of itself. What does not live here: the load itself.

mod crew;
mod fault;
mod loads;
mod verdict;

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

use crew::Crew;
use fault::Fault;
use loads::Loads;
use verdict::Verdict;

/// Longest time from the end of a fault until everything answers again.
const RECOVERY: Duration = Duration::from_secs(90);
/// Milliseconds from one fault's recovery to the next fault.
const REST_MILLIS: std::ops::Range<u64> = 1_000..6_000;

/// What came of it, as `target/bench/chaos.json` holds it.
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
    verdict: Verdict,
}

/// Plays, compares, prints; errors when anything is missing, doubled or different.
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
    let mut crew = Crew::start(folder, &chaos.event_store).await?;
    let api = sign_in(&crew).await?;
    make_rule(&api).await?;
    let seconds = (chaos.minutes * 60.0).ceil() as u64;
    let loads = Loads::start(&crew, chaos, seconds, folder).await?;
    println!("the load runs; faults for {seconds} s");
    let mut random = SmallRng::seed_from_u64(seed);
    let (mut faults, mut longest) = (Vec::new(), Duration::ZERO);
    let began = Instant::now();
    while began.elapsed().as_secs() < seconds {
        let fault = Fault::choose(&crew, &mut random);
        println!("{:6.1} s  {fault}", began.elapsed().as_secs_f64());
        crew.commit(&fault).await.with_context(|| fault.to_string())?;
        let recovery = crew.recovered(RECOVERY).await.with_context(|| format!("after {fault}"))?;
        longest = longest.max(recovery);
        faults.push(fault.kind());
        sleep(Duration::from_millis(random.random_range(REST_MILLIS))).await;
    }
    let figures = loads.finish().await?;
    let verdict = Verdict::reach(&crew, &api, &figures).await?;
    let starts_given_up = crew.starts_given_up;
    crew.stop().await?;
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
    verdict.ensure_sound()
}

async fn sign_in(crew: &Crew) -> anyhow::Result<Api> {
    let platform = crew.platform();
    spawn_blocking(move || Api::sign_in(&platform.api, &platform.email, &platform.password)).await?
}

/// A rule that every fifth device breaches again and again, so that there are alarms to be doubled.
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
