//! A fleet of stock devices at the broker: each counts its messages, sends again what was not acknowledged, and remembers
//! what was, and when.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::telemetry::RawReading;
use rumqttc::{AsyncClient, Event, EventLoop, Incoming, Outgoing, QoS};
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::site::Site;
use crate::world::{Device, now};

/// How long a device waits before it connects again.
const REST: Duration = Duration::from_millis(200);
/// How long nothing happens at a connection before a device looks whether it is done.
const QUIET: Duration = Duration::from_secs(2);
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
    // A client that everybody has let go of ends its connection: this one is kept to the end.
    let publishing = tokio::spawn(publish(device.clone(), client.clone(), every, stop.clone()));
    let mut sent = 0;
    // Numbers by packet identifier: one that is sent again keeps its number.
    let mut waiting: HashMap<u16, u64> = HashMap::new();
    // A connection in the making is not to be cut short, so that nothing else is waited for here.
    let conversation = async {
        while !(publishing.is_finished() && waiting.is_empty() && events_are_empty(&events)) {
            match timeout(QUIET, events.poll()).await {
                Ok(Ok(Event::Outgoing(Outgoing::Publish(id)))) => {
                    waiting.entry(id).or_insert_with(|| {
                        sent += 1;
                        sent - 1
                    });
                }
                Ok(Ok(Event::Incoming(Incoming::PubAck(ack)))) => {
                    if let Some(number) = waiting.remove(&ack.pkid) {
                        acknowledged.lock().unwrap().push((device.id, number, Instant::now()));
                    }
                }
                // The broker has forgotten the session, and the client forgets what was not acknowledged: which number
                // comes next is not known any more. What was acknowledged counts.
                Ok(Ok(Event::Incoming(Incoming::ConnAck(answer)))) if !answer.session_present && sent > 0 => return,
                Ok(Err(_)) => sleep(REST).await,
                _ => {}
            }
        }
    };
    let over = async {
        stop.cancelled().await;
        sleep(LAST).await;
    };
    tokio::select! {
        () = conversation => {}
        () = over => {}
    }
}

/// Tells whether nothing waits to be sent again.
fn events_are_empty(events: &EventLoop) -> bool {
    events.pending.is_empty()
}

/// Publishes a message every so often; a full channel means that the broker is slow or away.
async fn publish(device: Arc<Device>, client: AsyncClient, every: Duration, stop: CancellationToken) {
    let (mut tick, mut number) = (interval(every), 0);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        number += u64::from(client.try_publish(device.topic(), QoS::AtLeastOnce, false, payload(number)).is_ok());
    }
    // What was given to the client is sent before the end is noticed: the channel keeps its order.
    let _ = client.publish(device.topic(), QoS::AtLeastOnce, false, payload(number)).await;
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
