//! The demo: a sample organisation comes alive. What does not live here: the platform.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio::time::interval;

use crate::api::Api;
use crate::args::{Demo, Platform};
use crate::fleet::{self, Fleet, Plan};
use crate::{provision, summary, verify};

/// Metrics in a message of the demo.
const METRICS: usize = 6;

/// How long all devices may take to connect.
const CONNECT_DEADLINE: Duration = Duration::from_secs(60);

/// How long the history may take to show the last message.
const SETTLE_DEADLINE: Duration = Duration::from_secs(20);

/// Makes the sample organisation and plays its devices.
pub async fn run(platform: Platform, demo: Demo) -> anyhow::Result<()> {
    let plan = Plan {
        mqtt: platform.mqtt.clone(),
        devices: demo.devices,
        rate: f64::from(demo.devices),
        burst: 1,
        metrics: METRICS,
    };
    let tag = tag();
    println!("making a sample organisation with {} devices …", demo.devices);
    let sample = spawn_blocking({
        let (platform, tag) = (platform.clone(), tag.clone());
        move || {
            let admin = Api::sign_in(&platform.api, &platform.email, &platform.password)?;
            provision::make_sample_organization(&admin, &platform.api, &tag)
        }
    })
    .await??;
    let api = sample.api.clone();
    let provisioned = fleet::provision(&api, &plan, &tag).await?;
    let devices = spawn_blocking({
        let (api, plan) = (api.clone(), plan.clone());
        move || {
            provision::make_sample_assets(&api, &provisioned)?;
            let root = api.get_text("/pki/ca.pem")?;
            let number = |(index, device)| provision::equip(device, index, &root, &api, &plan);
            (0..).zip(&provisioned).map(number).collect::<anyhow::Result<Vec<_>>>()
        }
    })
    .await??;
    let fleet = Fleet::connect(devices, &plan, CONNECT_DEADLINE).await?;
    println!("{} devices are connected and publish once a second", plan.devices);
    println!("  look at them   {}/", platform.api);
    println!("  sign in as     {}", sample.email);
    println!("  password       {}\n", sample.password);
    fleet.start();
    play(&fleet, demo.seconds).await;
    close(fleet, &api).await
}

async fn play(fleet: &Fleet, seconds: Option<u64>) {
    let began = Instant::now();
    let mut ticks = interval(Duration::from_secs(10));
    let end = Duration::from_secs(seconds.unwrap_or(u64::MAX / 4));
    let over = tokio::time::sleep(end);
    tokio::pin!(over);
    loop {
        tokio::select! {
            _ = ticks.tick() => println!("{}", summary::progress(&fleet.line.stats, began.elapsed().as_secs_f64())),
            () = &mut over => return,
            _ = tokio::signal::ctrl_c() => return,
        }
    }
}

async fn close(fleet: Fleet, api: &Api) -> anyhow::Result<()> {
    let (line, acknowledged) = fleet.finish().await;
    let messages = line.stats.acknowledged.load(Relaxed);
    let verdict = verify::verify(api, &acknowledged, SETTLE_DEADLINE).await?;
    let counter = api.clone();
    let (alarms, activities) =
        spawn_blocking(move || anyhow::Ok((total(&counter, "alarms")?, total(&counter, "activities")?))).await??;
    print!("{}", summary::demo(messages, METRICS as u64, verdict, alarms, activities));
    anyhow::ensure!(verdict.missing == 0 && verdict.doubled == 0, "the history is not what was acknowledged");
    Ok(())
}

fn total(api: &Api, kind: &str) -> anyhow::Result<u64> {
    Ok(api.get(&format!("/api/v1/{kind}?limit=1"))?["total"].as_u64().unwrap_or_default())
}

/// Tells runs apart.
#[allow(clippy::disallowed_methods, reason = "a run's name may come from its clock")]
pub fn tag() -> String {
    format!("{:x}", chrono::Utc::now().timestamp_millis())
}
