//! A fleet of stock devices at the broker: each counts its messages, sends again what was not acknowledged, and remembers
//! what was, and when.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::telemetry::RawReading;
use rumqttc::{AsyncClient, Event, Incoming, Outgoing, QoS};
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::site::Site;
use crate::world::{Device, now};

/// How long a device waits before it connects again.
const REST: Duration = Duration::from_millis(200);
/// Messages a device has unacknowledged at most.
const INFLIGHT: u16 = 100;
/// How long the last acknowledgements may take.
const LAST: Duration = Duration::from_secs(20);

/// What the broker acknowledged: device, number, when.
pub type Acknowledged = Vec<(Uuid, u64, Instant)>;

/// Devices that publish.
pub struct Fleet {
    pub devices: Vec<Arc<Device>>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    acknowledged: Arc<Mutex<Acknowledged>>,
}

impl Fleet {
    /// Starts so many devices that publish so many messages a second together.
    pub async fn start(site: &Site, devices: u32, rate: u32) -> Self {
        let mut fleet = Self {
            devices: vec![],
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
            acknowledged: Arc::default(),
        };
        for _ in 0..devices {
            let device = Arc::new(site.world.device().await);
            let mut options = site.device_options(&device);
            options.set_clean_session(false).set_inflight(INFLIGHT);
            let run = run(device.clone(), options, Duration::from_secs(1) * devices / rate, fleet.stop.clone(), {
                fleet.acknowledged.clone()
            });
            fleet.tasks.spawn(run);
            fleet.devices.push(device);
        }
        fleet
    }

    /// Publishes nothing new, waits for the last acknowledgements, and returns all of them.
    pub async fn stop(mut self) -> Acknowledged {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut self.acknowledged.lock().unwrap())
    }
}

async fn run(
    device: Arc<Device>,
    options: rumqttc::MqttOptions,
    every: Duration,
    stop: CancellationToken,
    acknowledged: Arc<Mutex<Acknowledged>>,
) {
    let (client, mut events) = AsyncClient::new(options, usize::from(INFLIGHT));
    let (mut tick, mut number, mut sent_number) = (interval(every), 0_u64, 0_u64);
    // Numbers by packet identifier: one that is sent again keeps its number.
    let mut waiting: HashMap<u16, u64> = HashMap::new();
    let mut last = None;
    loop {
        let stopped = stop.is_cancelled();
        if stopped {
            let since = *last.get_or_insert_with(Instant::now);
            if (waiting.is_empty() && sent_number == number) || since.elapsed() > LAST {
                return;
            }
        }
        tokio::select! {
            _ = tick.tick(), if !stopped => {
                let payload = payload(number);
                // A full channel means that the broker is slow: the number is used later.
                if client.try_publish(device.topic(), QoS::AtLeastOnce, false, payload).is_ok() {
                    number += 1;
                }
            }
            event = timeout(REST, events.poll()) => match event {
                Ok(Ok(Event::Outgoing(Outgoing::Publish(id)))) => {
                    waiting.entry(id).or_insert_with(|| {
                        sent_number += 1;
                        sent_number - 1
                    });
                }
                Ok(Ok(Event::Incoming(Incoming::PubAck(ack)))) => {
                    if let Some(number) = waiting.remove(&ack.pkid) {
                        acknowledged.lock().unwrap().push((device.id, number, Instant::now()));
                    }
                }
                // The broker has forgotten the session, and the client forgets what was not acknowledged.
                Ok(Ok(Event::Incoming(Incoming::ConnAck(answer)))) if !answer.session_present => waiting.clear(),
                Ok(Err(_)) => sleep(REST).await,
                _ => {}
            },
        }
    }
}

fn payload(number: u64) -> String {
    format!(r#"{{"timestamp":"{}","metrics":{{"n":{number}}}}}"#, now().to_rfc3339())
}

/// What the raw stream has of each device's messages.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Payloads by device and number; more than one of them only where a device or the broker sent one again.
    messages: BTreeMap<(Uuid, u64), BTreeSet<Vec<u8>>>,
    /// How many messages are there more than once.
    pub repeated: usize,
}

impl Delivered {
    /// Sorts what the raw stream has.
    pub fn of(raw: Vec<RawReading>) -> Self {
        #[derive(Deserialize)]
        struct Payload {
            metrics: Metrics,
        }
        #[derive(Deserialize)]
        struct Metrics {
            n: u64,
        }
        let mut delivered = Self::default();
        for reading in raw {
            let payload: Payload = serde_json::from_slice(&reading.payload).unwrap();
            let same = delivered.messages.entry((reading.device.0, payload.metrics.n)).or_default();
            delivered.repeated += usize::from(!same.is_empty());
            same.insert(reading.payload.to_vec());
        }
        delivered
    }

    /// How many different messages there are.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// What was acknowledged and is not there.
    pub fn missing(&self, acknowledged: &Acknowledged) -> Acknowledged {
        let there = |(device, number, _): &&(Uuid, u64, Instant)| !self.messages.contains_key(&(*device, *number));
        acknowledged.iter().filter(there).copied().collect()
    }

    /// Messages that came in two forms: history takes what has the same device, time and metric for the same value, so
    /// that a message which comes again unchanged counts once.
    pub fn changed(&self) -> usize {
        self.messages.values().filter(|forms| forms.len() > 1).count()
    }
}
