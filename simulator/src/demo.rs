//! The demo: creates a sample organisation and runs its devices.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio::time::interval;

use crate::api::Api;
use crate::args::{Demo, Platform};
use crate::fleet::{self, Fleet, Plan};
use crate::{provision, run_tag, summary, verify};

/// Metrics per message.
const METRICS: usize = 6;

/// How long all devices may take to connect.
const CONNECT_DEADLINE: Duration = Duration::from_secs(60);

/// How long the history may take to show the last message.
const SETTLE_DEADLINE: Duration = Duration::from_secs(20);

/// Creates the sample organisation and runs its devices until Ctrl-C or the time limit.
pub async fn run(platform: Platform, demo: Demo) -> anyhow::Result<()> {
    let plan = Plan {
        mqtt: platform.mqtt.clone(),
        devices: demo.devices,
        rate: f64::from(demo.devices),
        burst: 1,
        metrics: METRICS,
    };
    let tag = run_tag::new_tag();
    println!("creating a sample organisation with {} devices …", demo.devices);
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
            let number = |(index, device)| provision::build_device(device, index, &root, &api, &plan);
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
            _ = ticks.tick() => println!("{}", summary::progress(&fleet.context.stats, began.elapsed().as_secs_f64())),
            () = &mut over => return,
            _ = tokio::signal::ctrl_c() => return,
        }
    }
}

async fn close(fleet: Fleet, api: &Api) -> anyhow::Result<()> {
    let (context, acknowledged) = fleet.finish().await;
    let messages = context.stats.acknowledged.load(Relaxed);
    let check = verify::verify(api, &acknowledged, SETTLE_DEADLINE).await?;
    let counter = api.clone();
    let (alarms, activities) =
        spawn_blocking(move || anyhow::Ok((total(&counter, "alarms")?, total(&counter, "activities")?))).await??;
    print!("{}", summary::demo(messages, METRICS as u64, check, alarms, activities));
    anyhow::ensure!(check.missing == 0 && check.doubled == 0, "the history differs from the acknowledged messages");
    Ok(())
}

fn total(api: &Api, kind: &str) -> anyhow::Result<u64> {
    Ok(api.get(&format!("/api/v1/{kind}?limit=1"))?["total"].as_u64().unwrap_or_default())
}
