//! Concurrent API clients that send one kind of request, either as fast as possible or at a fixed pace.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use rand::Rng;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::api::Api;
use crate::args::ApiBench;
use crate::stats::Latencies;

/// The kinds of request, in the order of the table.
pub const REQUEST_KINDS: [&str; 5] = ["device list", "device detail", "audit page", "create device", "revise device"];

/// What the clients of one step measured.
#[derive(Debug, Serialize)]
pub struct ClientResults {
    /// Requests that succeeded.
    pub requests: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests a second, all clients together.
    pub requests_per_second: f64,
    /// Latency in milliseconds: p50, p95 and p99.
    pub millis: [f64; 3],
}

/// Runs all clients for the duration of a step; each client has its own connection.
pub fn run_clients(
    api: &Api,
    devices: &[String],
    bench: &ApiBench,
    kind: &'static str,
    pace: Option<f64>,
) -> anyhow::Result<ClientResults> {
    let (latencies, failed) = (Latencies::default(), AtomicU64::new(0));
    let device_type = api.get(&format!("/api/v1/devices/{}", devices.first().context("a device")?))?;
    let device_type = device_type["device"]["deviceTypeId"].as_str().context("a type")?.to_owned();
    let began = Instant::now();
    let end = began + Duration::from_secs(bench.seconds);
    let client = |number: usize| {
        let api = api.with_own_connections();
        let gap = pace.map(|pace| Duration::from_secs_f64(1.0 / pace));
        // Spread the paced clients over one interval, so that they do not send in lockstep.
        let mut due = began + gap.unwrap_or_default().mul_f64(number as f64 / bench.clients as f64);
        while Instant::now() < end {
            if let Some(gap) = gap {
                while let Some(wait) = due.checked_duration_since(Instant::now()) {
                    thread::park_timeout(wait);
                }
                due += gap;
            }
            let sent_at = Instant::now();
            match send_one(&api, devices, &device_type, kind) {
                Ok(()) => latencies.record(sent_at.elapsed()),
                Err(error) => {
                    if failed.fetch_add(1, Relaxed) == 0 {
                        eprintln!("{kind}: {error:#}");
                    }
                }
            }
        }
    };
    thread::scope(|scope| {
        for number in 0..bench.clients {
            scope.spawn(move || client(number));
        }
    });
    let (requests, seconds) = (latencies.count(), began.elapsed().as_secs_f64());
    Ok(ClientResults {
        requests,
        failed: failed.load(Relaxed),
        requests_per_second: requests as f64 / seconds,
        millis: [0.5, 0.95, 0.99].map(|share| latencies.quantile_millis(share)),
    })
}

fn send_one(api: &Api, devices: &[String], device_type: &str, kind: &str) -> anyhow::Result<()> {
    let mut random = rand::rng();
    let device = &devices[random.random_range(0..devices.len())];
    match kind {
        "device list" => {
            let text =
                format!("/api/v1/devices?limit=50&sort=serialNumber&attribute=floor:{}", random.random_range(0..40));
            let offset = random.random_range(0..1000);
            let path = if random.random_bool(0.5) { text } else { format!("/api/v1/devices?limit=50&offset={offset}") };
            api.get(&path).map(drop)
        }
        "device detail" => api.get(&format!("/api/v1/devices/{device}")).map(drop),
        "audit page" => {
            let of_one = format!("/api/v1/audit?limit=50&entityType=device&entityId={device}");
            let path = if random.random_bool(0.5) { of_one } else { "/api/v1/audit?limit=50".to_owned() };
            api.get(&path).map(drop)
        }
        "create device" => {
            let serial_number = Uuid::from_u128(random.random()).to_string();
            let new = json!({"name": "New", "serialNumber": serial_number, "deviceTypeId": device_type,
                "issueCertificate": false});
            api.post("/api/v1/devices", &new).map(drop)
        }
        _ => {
            let name = json!({"name": format!("Renamed {}", random.random::<u32>())});
            api.put(&format!("/api/v1/devices/{device}"), &name).map(drop)
        }
    }
}
