//! A fleet of simulated devices.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::device::{Device, RunContext};
use crate::provision::{self, Provisioned};
use crate::stats::Stats;

/// Concurrent TLS handshakes.
const HANDSHAKES: usize = 64;

/// Concurrent API calls while devices are created.
const CONCURRENT_CREATIONS: usize = 8;

/// How a fleet publishes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `host:port` of the MQTT listener.
    pub mqtt: String,
    /// Number of devices.
    pub devices: u32,
    /// Messages a second, all devices together.
    pub rate: f64,
    /// Messages that a device sends in one burst.
    pub burst: u32,
    /// Metrics per message, including the sequence number.
    pub metrics: usize,
}

impl Plan {
    /// Returns the time between two bursts of a device.
    pub fn period(&self) -> Duration {
        Duration::from_secs_f64(f64::from(self.devices) * f64::from(self.burst) / self.rate.max(0.001))
    }
}

/// A running fleet.
pub struct Fleet {
    /// State that the devices share.
    pub context: Arc<RunContext>,
    tasks: JoinSet<(String, u64)>,
}

/// Creates devices through the API, several at a time; returns them in the order of their index.
pub async fn provision(api: &Api, plan: &Plan, tag: &str) -> anyhow::Result<Vec<Provisioned>> {
    let client = api.clone();
    let metrics = plan.metrics;
    let device_type = tokio::task::spawn_blocking(move || provision::make_device_type(&client, metrics)).await??;
    let slots = Arc::new(Semaphore::new(CONCURRENT_CREATIONS));
    let mut tasks = JoinSet::new();
    for index in 0..plan.devices {
        let (api, device_type, tag, slots) = (api.clone(), device_type.clone(), tag.to_owned(), slots.clone());
        tasks.spawn(async move {
            let _slot = slots.acquire_owned().await?;
            let made = tokio::task::spawn_blocking(move || provision::make_device(&api, &device_type, &tag, index));
            anyhow::Ok((index, made.await??))
        });
    }
    let mut made = Vec::with_capacity(plan.devices as usize);
    while let Some(one) = tasks.join_next().await {
        made.push(one??);
    }
    made.sort_by_key(|(index, _)| *index);
    Ok(made.into_iter().map(|(_, device)| device).collect())
}

impl Fleet {
    /// Connects every device; none publishes before [`Fleet::start`].
    pub async fn connect(devices: Vec<Device>, plan: &Plan, deadline: Duration) -> anyhow::Result<Self> {
        let context = Arc::new(RunContext {
            address: plan.mqtt.clone(),
            stats: Stats::default(),
            handshakes: Semaphore::new(HANDSHAKES),
            start: CancellationToken::new(),
            stop: CancellationToken::new(),
        });
        let count = devices.len() as u64;
        let mut tasks = JoinSet::new();
        for device in devices {
            let context = context.clone();
            tasks.spawn(async move { (device.id.clone(), device.run(context).await) });
        }
        let began = Instant::now();
        while context.stats.connected.load(Relaxed) < count {
            ensure!(
                began.elapsed() < deadline,
                "only {} of {count} devices connected",
                context.stats.connected.load(Relaxed)
            );
            sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { context, tasks })
    }

    /// Starts publishing.
    pub fn start(&self) {
        self.context.start.cancel();
    }

    /// Stops publishing, waits for the last acknowledgements and returns the number of acknowledged messages of each
    /// device.
    pub async fn finish(mut self) -> (Arc<RunContext>, Vec<(String, u64)>) {
        self.context.stop.cancel();
        let mut acknowledged = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            acknowledged.extend(ended);
        }
        acknowledged.sort();
        (self.context, acknowledged)
    }
}
