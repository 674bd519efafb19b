//! The API benchmark: starts a platform with many devices and a long audit trail, then queries it with many clients.
//! The clients are in `clients`, the data in `seed_data`.

mod clients;
mod seed_data;
mod table;

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::api::{Api, text};
use crate::args::ApiBench;
use crate::cpu::{self, Usage};
use crate::platform::RunningPlatform;
use crate::provenance::{commit, machine, now};
use crate::report;

use clients::{ClientResults, REQUEST_KINDS};

/// One kind of request under one load.
#[derive(Debug, Serialize)]
pub struct Step {
    /// The kind of request.
    pub kind: &'static str,
    /// The target rate of each client, requests a second; as fast as possible if absent.
    pub pace: Option<f64>,
    /// What the clients measured.
    #[serde(rename = "asked")]
    pub results: ClientResults,
    /// CPU microseconds per request, by program.
    pub cpu_us_per_request: Usage,
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
    /// Devices on the platform.
    pub devices: u64,
    /// Events in the audit log.
    pub events: u64,
    /// Import rate, devices a second.
    pub imported_per_second: f64,
    /// Concurrent clients.
    pub clients: usize,
    /// One step for each kind of request and pace.
    pub steps: Vec<Step>,
}

/// Seeds the data, measures, prints the table and writes it to `docs/benchmarks.md` and `target/bench/api.json`.
pub async fn run(bench: ApiBench) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("argusiq-bench-").tempdir()?;
    let unlimited =
        [("ARGUSIQ_LIMITS__REQUESTS_PER_MINUTE", "0"), ("ARGUSIQ_LIMITS__REQUESTS_PER_MINUTE_PER_ADDRESS", "0")];
    let running = RunningPlatform::start(folder.path(), &unlimited).await?;
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

async fn measure(running: &RunningPlatform, bench: ApiBench) -> anyhow::Result<Results> {
    let platform = &running.platform;
    let (at, email, password) = (platform.api.clone(), platform.email.clone(), platform.password.clone());
    let roots: Vec<u32> = running.id().into_iter().chain([std::process::id()]).collect();
    spawn_blocking(move || {
        let api = Api::sign_in(&at, &email, &password)?;
        let kind = api.post("/api/v1/device-types", &json!({"name": "Sensor"}))?;
        let kind = text(&kind, "/deviceType/id")?;
        let began = Instant::now();
        let devices = seed_data::import_devices(&api, &kind, bench.devices)?;
        let imported_per_second = devices.len() as f64 / began.elapsed().as_secs_f64();
        eprintln!("{} devices imported, {imported_per_second:.0} a second", devices.len());
        let events = seed_data::make_audit_events(&api, &devices, bench.events)?;
        eprintln!("{events} audit events");
        let mut steps = Vec::new();
        for kind in REQUEST_KINDS {
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
    let results = clients::run_clients(api, devices, bench, kind, pace)?;
    let used = cpu::difference(&before, &cpu::usage(roots));
    let requests = results.requests.max(1) as f64;
    let cpu_us_per_request = used.into_iter().map(|(name, seconds)| (name, seconds * 1e6 / requests)).collect();
    let step = Step { kind, pace, results, cpu_us_per_request };
    eprintln!("{}", table::row(&step));
    Ok(step)
}
