//! A counted load against a running platform.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::spawn_blocking;
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::args::{Load, Platform};
use crate::cpu::{self, Usage};
use crate::device::Device;
use crate::fleet::{self, Fleet, Plan};
use crate::provision::Provisioned;
use crate::stats::{Latencies, Stats};
use crate::summary::{self, Figures};
use crate::verify::{self, HistoryCheck};
use crate::{feed, provision, reaction, run_tag};

/// How long all devices may take to connect.
const CONNECT_DEADLINE: Duration = Duration::from_secs(300);

/// How long the feed may take to show the last reading.
const FEED_TAIL: Duration = Duration::from_secs(3);

/// Runs a load against a platform that is already running.
pub async fn run(platform: Platform, load: Load) -> anyhow::Result<()> {
    let mqtt = platform.mqtt.clone();
    let api = spawn_blocking(move || Api::sign_in(&platform.api, &platform.email, &platform.password)).await??;
    let (figures, _) = play(&api, &mqtt, &load, &[]).await?;
    let json = serde_json::to_string_pretty(&figures)?;
    println!("{json}");
    if let Some(path) = &load.report {
        std::fs::write(path, json).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}

/// Creates devices, publishes, and compares the result with the history. Returns the figures, and the CPU seconds that
/// the process trees of `roots` used from the first message until the last one arrived on the feed.
pub async fn play(api: &Api, mqtt: &str, load: &Load, roots: &[u32]) -> anyhow::Result<(Figures, Usage)> {
    let plan = Plan {
        mqtt: mqtt.to_owned(),
        devices: load.devices,
        rate: load.rate,
        burst: load.burst,
        metrics: load.metrics,
    };
    println!("creating {} devices …", load.devices);
    let provisioned = fleet::provision(api, &plan, &run_tag::new_tag()).await?;
    let watched: Vec<String> = provisioned.iter().take(load.watch as usize).map(|device| device.id.clone()).collect();
    let fleet = Fleet::connect(equip(api, &plan, provisioned).await?, &plan, CONNECT_DEADLINE).await?;
    let screen = Arc::new(Latencies::default());
    let stop = CancellationToken::new();
    let feed = tokio::spawn(feed::watch(api.clone(), watched, screen.clone(), stop.clone()));
    let alarms = Arc::new(Latencies::default());
    let probe = match load.watch {
        0 => None,
        _ => Some(reaction::alarms(api, mqtt, &run_tag::new_tag(), alarms.clone(), stop.clone()).await?),
    };
    println!("{} devices are connected", plan.devices);
    let before = cpu::usage(roots);
    fleet.start();
    let seconds = publish(&fleet, load.seconds).await;
    let (context, acknowledged) = fleet.finish().await;
    sleep(FEED_TAIL).await;
    stop.cancel();
    let used = cpu::difference(&before, &cpu::usage(roots));
    feed.await?.context("the live feed failed")?;
    if let Some(probe) = probe {
        probe.await?.context("the alarm probe failed")?;
    }
    let check = verify::verify(api, &acknowledged, Duration::from_secs(load.settle)).await?;
    Ok((figures(load, seconds, &context.stats, [&screen, &alarms], check), used))
}

async fn equip(api: &Api, plan: &Plan, provisioned: Vec<Provisioned>) -> anyhow::Result<Vec<Device>> {
    let (api, plan) = (api.clone(), plan.clone());
    spawn_blocking(move || {
        let root = api.get_text("/pki/ca.pem")?;
        let number = |(index, device)| provision::build_device(device, index, &root, &api, &plan);
        (0..).zip(&provisioned).map(number).collect()
    })
    .await?
}

async fn publish(fleet: &Fleet, seconds: u64) -> f64 {
    let began = Instant::now();
    let mut ticks = interval(Duration::from_secs(5));
    while began.elapsed() < Duration::from_secs(seconds) {
        ticks.tick().await;
        println!("{}", summary::progress(&fleet.context.stats, began.elapsed().as_secs_f64()));
    }
    began.elapsed().as_secs_f64()
}

fn figures(
    load: &Load,
    seconds: f64,
    stats: &Stats,
    [screen, alarms]: [&Latencies; 2],
    check: HistoryCheck,
) -> Figures {
    let messages = stats.acknowledged.load(Relaxed);
    let quantiles = |latencies: &Latencies| [0.5, 0.95, 0.99].map(|share| latencies.quantile_millis(share));
    Figures {
        devices: load.devices,
        seconds,
        messages,
        messages_per_second: messages as f64 / seconds,
        values_per_second: messages as f64 * load.metrics as f64 / seconds,
        puback_ms: quantiles(&stats.puback),
        screen_ms: quantiles(screen),
        alarm_ms: quantiles(alarms),
        alarms: alarms.count(),
        watched: screen.count(),
        missing: check.missing,
        doubled: check.doubled,
        lost_sessions: stats.lost.load(Relaxed),
    }
}
