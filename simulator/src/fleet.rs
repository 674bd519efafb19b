//! Many devices at once. What does not live here: what one device does.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::device::{Device, Line};
use crate::provision::{self, Provisioned};
use crate::stats::Stats;

/// Handshakes at a time.
const HANDSHAKES: usize = 64;

/// API calls at a time while devices are made.
const MAKERS: usize = 8;

/// How a fleet publishes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `host:port` of the door.
    pub mqtt: String,
    /// How many devices.
    pub devices: u32,
    /// Messages a second of all devices together.
    pub rate: f64,
    /// Messages that a device writes at once.
    pub burst: u32,
    /// Metrics in a message, the sequence number included.
    pub metrics: usize,
}

impl Plan {
    /// Time from one burst of a device to its next.
    pub fn period(&self) -> Duration {
        Duration::from_secs_f64(f64::from(self.devices) * f64::from(self.burst) / self.rate.max(0.001))
    }
}

/// A running fleet.
pub struct Fleet {
    /// What the devices share.
    pub line: Arc<Line>,
    tasks: JoinSet<(String, u64)>,
}

/// Makes devices through the API, several at a time, in the order of their numbers.
pub async fn provision(api: &Api, plan: &Plan, tag: &str) -> anyhow::Result<Vec<Provisioned>> {
    let maker = api.clone();
    let metrics = plan.metrics;
    let device_type = tokio::task::spawn_blocking(move || provision::make_device_type(&maker, metrics)).await??;
    let slots = Arc::new(Semaphore::new(MAKERS));
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
        let line = Arc::new(Line {
            address: plan.mqtt.clone(),
            stats: Stats::default(),
            handshakes: Semaphore::new(HANDSHAKES),
            start: CancellationToken::new(),
            stop: CancellationToken::new(),
        });
        let count = devices.len() as u64;
        let mut tasks = JoinSet::new();
        for device in devices {
            let line = line.clone();
            tasks.spawn(async move { (device.id.clone(), device.run(line).await) });
        }
        let began = Instant::now();
        while line.stats.connected.load(Relaxed) < count {
            ensure!(
                began.elapsed() < deadline,
                "only {} of {count} devices connected",
                line.stats.connected.load(Relaxed)
            );
            sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { line, tasks })
    }

    /// Lets the devices publish.
    pub fn start(&self) {
        self.line.start.cancel();
    }

    /// Ends publishing and waits for the last acknowledgements; answers each device's acknowledged messages.
    pub async fn finish(mut self) -> (Arc<Line>, Vec<(String, u64)>) {
        self.line.stop.cancel();
        let mut acknowledged = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            acknowledged.extend(ended);
        }
        acknowledged.sort();
        (self.line, acknowledged)
    }
}
