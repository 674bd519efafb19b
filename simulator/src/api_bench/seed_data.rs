//! Seeds the benchmark's platform: many devices by CSV import, then a long audit trail by changing them.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::api::Api;

/// Devices per import file.
const DEVICES_PER_FILE: u32 = 100_000;
/// Concurrent clients that change devices.
const WRITERS: u64 = 64;
/// Events that one device change produces: name, description, attributes.
const EVENTS_PER_CHANGE: u64 = 3;
/// Events that one imported device produces: the device's and its serial number's.
const EVENTS_PER_IMPORT: u64 = 2;
/// How long the audit log may take to catch up.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(300);

/// Imports devices, which enrol later, and returns their ids.
pub fn import_devices(api: &Api, kind: &str, count: u32) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::with_capacity(count as usize);
    for first in (0..count).step_by(DEVICES_PER_FILE as usize) {
        let mut file = "serialNumber,name,attribute.floor\n".to_owned();
        for n in first..count.min(first + DEVICES_PER_FILE) {
            writeln!(file, "SN-{n:07},Sensor {n:07},{}", n % 40)?;
        }
        let path = format!("/api/v1/devices/import?deviceTypeId={kind}");
        for line in api.post_file(&path, "text/csv", file)?.lines() {
            let line: Value = serde_json::from_str(line)?;
            match line["deviceId"].as_str().filter(|_| line["result"] == "created") {
                Some(id) => ids.push(id.to_owned()),
                None => bail!("a row failed to import: {line}"),
            }
        }
    }
    Ok(ids)
}

/// Changes devices until the audit log holds at least `wanted` events; returns the number of events.
pub fn make_audit_events(api: &Api, devices: &[String], wanted: u64) -> anyhow::Result<u64> {
    let present = devices.len() as u64 * EVENTS_PER_IMPORT;
    let changes = wanted.saturating_sub(present).div_ceil(EVENTS_PER_CHANGE);
    let (next, last) = (AtomicU64::new(0), AtomicU64::new(0));
    let work = || -> anyhow::Result<()> {
        loop {
            let n = next.fetch_add(1, Relaxed);
            if n >= changes {
                return Ok(());
            }
            let device = devices.get(n as usize % devices.len()).context("a device")?;
            let body = json!({"name": format!("Sensor {n}"), "description": format!("Changed {n} times"),
                "customAttributes": {"change": n}});
            last.fetch_max(api.put(&format!("/api/v1/devices/{device}"), &body)?.position, Relaxed);
            if n % 20_000 == 0 {
                eprintln!("{n} of {changes} changes");
            }
        }
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join()).collect()
    });
    for outcome in outcomes {
        outcome.map_err(|_| anyhow::anyhow!("a writer panicked"))??;
    }
    let (began, path) = (Instant::now(), format!("/api/v1/audit?limit=1&minPosition={}", last.load(Relaxed)));
    while let Err(error) = api.get(&path) {
        anyhow::ensure!(began.elapsed() < CATCH_UP_TIMEOUT, "the audit log does not catch up: {error:#}");
    }
    Ok(present + changes * EVENTS_PER_CHANGE)
}
