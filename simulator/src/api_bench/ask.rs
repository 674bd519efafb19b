//! Many clients that ask the same kind of thing, as fast as they can or at a pace. What does not live here: what the figures
//! mean.

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

/// What is asked, in the order of the table.
pub const KINDS: [&str; 5] = ["device list", "device detail", "audit page", "create device", "revise device"];

/// What came of asking.
#[derive(Debug, Serialize)]
pub struct Asked {
    /// Requests that were answered as they should be.
    pub requests: u64,
    /// Requests that were not.
    pub failed: u64,
    /// Requests a second of all clients together.
    pub requests_per_second: f64,
    /// 50, 95 and 99 of 100 took at most so many milliseconds.
    pub millis: [f64; 3],
}

/// Has all clients ask for the time of a step; each has a connection of its own.
pub fn ask(
    api: &Api,
    devices: &[String],
    bench: &ApiBench,
    kind: &'static str,
    pace: Option<f64>,
) -> anyhow::Result<Asked> {
    let (latencies, failed) = (Latencies::default(), AtomicU64::new(0));
    let kind_of_device = api.get(&format!("/api/v1/devices/{}", devices.first().context("a device")?))?;
    let kind_of_device = kind_of_device["device"]["deviceTypeId"].as_str().context("a type")?.to_owned();
    let began = Instant::now();
    let end = began + Duration::from_secs(bench.seconds);
    let client = |number: usize| {
        let api = api.apart();
        let gap = pace.map(|pace| Duration::from_secs_f64(1.0 / pace));
        // Clients at a pace begin one after the other.
        let mut due = began + gap.unwrap_or_default().mul_f64(number as f64 / bench.clients as f64);
        while Instant::now() < end {
            if let Some(gap) = gap {
                while let Some(early) = due.checked_duration_since(Instant::now()) {
                    thread::park_timeout(early);
                }
                due += gap;
            }
            let asked = Instant::now();
            match one(&api, devices, &kind_of_device, kind) {
                Ok(()) => latencies.note(asked.elapsed()),
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
    Ok(Asked {
        requests,
        failed: failed.load(Relaxed),
        requests_per_second: requests as f64 / seconds,
        millis: [0.5, 0.95, 0.99].map(|share| latencies.quantile_millis(share)),
    })
}

fn one(api: &Api, devices: &[String], device_type: &str, kind: &str) -> anyhow::Result<()> {
    let mut chance = rand::rng();
    let device = &devices[chance.random_range(0..devices.len())];
    match kind {
        "device list" => {
            let text =
                format!("/api/v1/devices?limit=50&sort=serialNumber&attribute=floor:{}", chance.random_range(0..40));
            let offset = chance.random_range(0..1000);
            let path = if chance.random_bool(0.5) { text } else { format!("/api/v1/devices?limit=50&offset={offset}") };
            api.get(&path).map(drop)
        }
        "device detail" => api.get(&format!("/api/v1/devices/{device}")).map(drop),
        "audit page" => {
            let of_one = format!("/api/v1/audit?limit=50&entityType=device&entityId={device}");
            let path = if chance.random_bool(0.5) { of_one } else { "/api/v1/audit?limit=50".to_owned() };
            api.get(&path).map(drop)
        }
        "create device" => {
            let serial_number = Uuid::from_u128(chance.random()).to_string();
            let new = json!({"name": "New", "serialNumber": serial_number, "deviceTypeId": device_type,
                "issueCertificate": false});
            api.post("/api/v1/devices", &new).map(drop)
        }
        _ => {
            let name = json!({"name": format!("Renamed {}", chance.random::<u32>())});
            api.put(&format!("/api/v1/devices/{device}"), &name).map(drop)
        }
    }
}
