//! A fleet of stock MQTT clients at the broker. Each numbers its messages, resends unacknowledged ones, and records
//! what was acknowledged and when.

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

use crate::test_broker::BrokeredPlatform;
use crate::test_platform::{Device, now};

/// Delay before a device reconnects.
const RECONNECT_DELAY: Duration = Duration::from_millis(200);
/// How long a device waits for an event before it checks whether it is done.
const POLL_TIMEOUT: Duration = Duration::from_secs(2);
/// Most unacknowledged messages of a device.
const MAX_IN_FLIGHT: u16 = 100;
/// How long the last acknowledgements may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// Acknowledged messages: device, number, time.
pub type Acknowledged = Vec<(Uuid, u64, Instant)>;

/// The running devices.
pub struct Fleet {
    pub devices: Vec<Arc<Device>>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    acknowledged: Arc<Mutex<Acknowledged>>,
}

impl Fleet {
    /// Starts devices that publish `rate` messages a second together.
    pub async fn start(brokered: &BrokeredPlatform, devices: u32, rate: u32) -> Self {
        let mut fleet = Self {
            devices: vec![],
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
            acknowledged: Arc::default(),
        };
        for _ in 0..devices {
            let device = Arc::new(brokered.platform.device().await);
            let mut options = brokered.device_options(&device);
            options.set_clean_session(false).set_inflight(MAX_IN_FLIGHT);
            let run = run(device.clone(), options, Duration::from_secs(1) * devices / rate, fleet.stop.clone(), {
                fleet.acknowledged.clone()
            });
            fleet.tasks.spawn(run);
            fleet.devices.push(device);
        }
        fleet
    }

    /// Stops publishing, waits for the last acknowledgements and returns all of them.
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
    let (client, mut events) = AsyncClient::new(options, usize::from(MAX_IN_FLIGHT));
    // Clone the client: dropping the last handle would end the connection.
    let publishing = tokio::spawn(publish(device.clone(), client.clone(), every, stop.clone()));
    let mut sent = 0;
    // Message numbers by packet identifier; a resent message keeps its number.
    let mut waiting: HashMap<u16, u64> = HashMap::new();
    // Polling must not be cancelled while a connection is being set up, so nothing else is awaited here.
    let connection = async {
        while !(publishing.is_finished() && waiting.is_empty() && nothing_to_resend(&events)) {
            match timeout(POLL_TIMEOUT, events.poll()).await {
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
                // The broker has lost the session, so the client drops its unacknowledged messages and the numbering is
                // lost. Stop here; earlier acknowledgements count.
                Ok(Ok(Event::Incoming(Incoming::ConnAck(answer)))) if !answer.session_present && sent > 0 => return,
                Ok(Err(_)) => sleep(RECONNECT_DELAY).await,
                _ => {}
            }
        }
    };
    let drain_timeout = async {
        stop.cancelled().await;
        sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        () = connection => {}
        () = drain_timeout => {}
    }
}

/// Tells whether nothing is waiting to be resent.
fn nothing_to_resend(events: &EventLoop) -> bool {
    events.pending.is_empty()
}

/// Publishes a message per interval; a full channel means that the broker is slow or down.
async fn publish(device: Arc<Device>, client: AsyncClient, every: Duration, stop: CancellationToken) {
    let (mut tick, mut number) = (interval(every), 0);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        number += u64::from(client.try_publish(device.topic(), QoS::AtLeastOnce, false, payload(number)).is_ok());
    }
    // The channel keeps its order: once this message is queued, all earlier ones have been sent.
    let _ = client.publish(device.topic(), QoS::AtLeastOnce, false, payload(number)).await;
}

fn payload(number: u64) -> String {
    format!(r#"{{"timestamp":"{}","metrics":{{"n":{number}}}}}"#, now().to_rfc3339())
}

/// The messages of each device in the raw stream.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Payloads by device and number; more than one only if a resent message differs.
    messages: BTreeMap<(Uuid, u64), BTreeSet<Vec<u8>>>,
    /// Number of repeated messages.
    pub repeated: usize,
}

impl Delivered {
    /// Groups the raw readings by device and message number.
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

    /// Returns the number of distinct messages.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Returns the acknowledged messages that are missing.
    pub fn missing(&self, acknowledged: &Acknowledged) -> Acknowledged {
        let there = |(device, number, _): &&(Uuid, u64, Instant)| !self.messages.contains_key(&(*device, *number));
        acknowledged.iter().filter(there).copied().collect()
    }

    /// Returns the number of messages delivered with different payloads. The history deduplicates by device, time and
    /// metric, so that an unchanged repetition counts once.
    pub fn changed(&self) -> usize {
        self.messages.values().filter(|forms| forms.len() > 1).count()
    }
}
