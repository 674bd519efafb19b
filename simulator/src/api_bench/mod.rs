//! The benchmark of the API: a platform of its own with many devices and a long audit trail, asked by many clients at once.
//! What does not live here: the asking (`ask`) and the loading (`fill`).

mod ask;
mod fill;
mod table;

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::api::{Api, text};
use crate::args::ApiBench;
use crate::bench::{commit, machine, now};
use crate::cpu::{self, Usage};
use crate::platform::Running;
use crate::report;

use ask::{Asked, KINDS};

/// One kind of request under one load.
#[derive(Debug, Serialize)]
pub struct Step {
    /// What was asked.
    pub kind: &'static str,
    /// Requests a second that each client tried for; as many as it could where absent.
    pub pace: Option<f64>,
    /// What came out.
    pub asked: Asked,
    /// CPU microseconds a request, by program.
    pub cpu_us_per_request: Usage,
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
    /// Devices that there are.
    pub devices: u64,
    /// Audit events that there are.
    pub events: u64,
    /// Devices a second that were imported.
    pub imported_per_second: f64,
    /// Clients at a time.
    pub clients: usize,
    /// One for each kind and pace.
    pub steps: Vec<Step>,
}

/// Loads, measures, prints, and writes `docs/benchmarks.md` and `target/bench/api.json`.
pub async fn run(bench: ApiBench) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("argusiq-bench-").tempdir()?;
    let unlimited =
        [("ARGUSIQ_LIMITS__REQUESTS_PER_MINUTE", "0"), ("ARGUSIQ_LIMITS__REQUESTS_PER_MINUTE_PER_ADDRESS", "0")];
    let running = Running::start(folder.path(), &unlimited).await?;
    let outcome = measure(&running, bench).await;
    running.stop().await?;
    let results = outcome?;
    fs::create_dir_all("target/bench")?;
    fs::write("target/bench/api.json", serde_json::to_string_pretty(&results)?)?;
    let table = table::table(&results);
    report::put(Path::new("docs/benchmarks.md"), "api", &table)?;
    println!("{table}");
    println!("{}", table::closing_line(&results));
    Ok(())
}

async fn measure(running: &Running, bench: ApiBench) -> anyhow::Result<Results> {
    let platform = &running.platform;
    let (at, email, password) = (platform.api.clone(), platform.email.clone(), platform.password.clone());
    let roots: Vec<u32> = running.id().into_iter().chain([std::process::id()]).collect();
    spawn_blocking(move || {
        let api = Api::sign_in(&at, &email, &password)?;
        let kind = api.post("/api/v1/device-types", &json!({"name": "Sensor"}))?;
        let kind = text(&kind, "/deviceType/id")?;
        let began = Instant::now();
        let devices = fill::devices(&api, &kind, bench.devices)?;
        let imported_per_second = devices.len() as f64 / began.elapsed().as_secs_f64();
        eprintln!("{} devices imported, {imported_per_second:.0} a second", devices.len());
        let events = fill::events(&api, &devices, bench.events)?;
        eprintln!("{events} audit events");
        let mut steps = Vec::new();
        for kind in KINDS {
            for pace in [None, Some(bench.pace)] {
                steps.push(step(&api, &devices, &bench, (kind, pace), &roots)?);
            }
        }
        Ok(Results {
            measured_at: now(),
            commit: commit(),
            machine: machine(),
            devices: devices.len() as u64,
            events,
            imported_per_second,
            clients: bench.clients,
            steps,
        })
    })
    .await?
}

fn step(
    api: &Api,
    devices: &[String],
    bench: &ApiBench,
    (kind, pace): (&'static str, Option<f64>),
    roots: &[u32],
) -> anyhow::Result<Step> {
    let before = cpu::usage(roots);
    let asked = ask::ask(api, devices, bench, kind, pace)?;
    let used = cpu::difference(&before, &cpu::usage(roots));
    let requests = asked.requests.max(1) as f64;
    let cpu_us_per_request = used.into_iter().map(|(name, seconds)| (name, seconds * 1e6 / requests)).collect();
    let step = Step { kind, pace, asked, cpu_us_per_request };
    eprintln!("{}", table::row(&step));
    Ok(step)
}
