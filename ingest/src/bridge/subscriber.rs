//! A subscription at the broker that survives reconnects: reads messages, checks them and passes them to the pipeline.
//! Acknowledgements are in `connection`.

use eventlog::error_chain;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::{IngestionSource, RawReading};
use metrics::counter;
use rumqttc::mqttbytes::v4::{Packet, Publish, SubscribeReasonCode};
use rumqttc::{AsyncClient, Event, QoS, SubscribeFilter};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::broker_events;
use super::connection::{self, Connection, Step};
use super::presence_publisher::PresencePublisher;
use crate::backoff::{MAX_DELAY, reconnect_delays};
use crate::config::{BridgeConfig, BrokerAddressError, REQUEST_QUEUE};
use crate::metric_names as names;
use crate::pipeline::mailbox::Receipt;
use crate::pipeline::refusal::Refusal;
use crate::pipeline::{Closed, RefusedMessage, topic};
use crate::shared::Shared;

/// Delay between two attempts to catch up with the log before an unknown device is refused.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// A subscriber that reconnects whenever its connection ends.
pub struct Subscriber {
    shared: Arc<Shared>,
    config: Arc<BridgeConfig>,
    client_id: String,
    /// Publishes presence facts; `None` for a subscriber that does not read broker events.
    presence: Option<PresencePublisher>,
}

/// The sender of a message that may enter the log, and the number of its readings.
struct Admitted {
    organization: OrganizationId,
    device: DeviceId,
    readings: usize,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Disconnected {
    #[error("invalid settings of the broker connection")]
    Address(#[from] BrokerAddressError),
    #[error(transparent)]
    Connection(#[from] connection::Error),
    #[error("the broker refuses the subscription to {0}; allow the service account to read it")]
    Subscription(String),
    #[error("the pipeline is closed")]
    Closed(#[from] Closed),
}

/// The next thing to do.
enum Next {
    /// This bridge may have gained or lost the election.
    LeadershipChange,
    /// Something about the connection.
    Step(Step),
}

impl Subscriber {
    /// Creates a subscriber; its client id must be unique at the broker.
    pub fn new(
        shared: Arc<Shared>,
        config: Arc<BridgeConfig>,
        client_id: String,
        presence: Option<PresencePublisher>,
    ) -> Self {
        Self { shared, config, client_id, presence }
    }

    /// Stays connected until the shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) {
        if let Some(presence) = &self.presence {
            shutdown.run_until_cancelled(presence.ready()).await;
        }
        let mut delays = reconnect_delays();
        while !shutdown.is_cancelled() {
            let mut worked = false;
            let Err(lost) = self.connection(&shutdown, &mut worked).await else { return };
            counter!(names::BRIDGE_CONNECTIONS_LOST).increment(1);
            if worked {
                delays = reconnect_delays();
            }
            let delay = delays.next().unwrap_or(MAX_DELAY);
            warn!(client_id = self.client_id, broker = %self.config.address, error = error_chain(&lost),
                "lost the broker connection; reconnecting in {delay:?}");
            shutdown.run_until_cancelled(sleep(delay)).await;
        }
    }

    /// Serves one connection; returns `Ok` when the shutdown ended it.
    async fn connection(&mut self, shutdown: &CancellationToken, worked: &mut bool) -> Result<(), Disconnected> {
        // A new client for each connection, so that no request of an earlier one is sent again.
        let (client, events) = AsyncClient::new(self.config.options(&self.client_id)?, REQUEST_QUEUE);
        let mut connection = Connection::new(events);
        loop {
            let may_read = connection.unacknowledged() < self.config.max_unacknowledged;
            let next = tokio::select! {
                biased;
                () = shutdown.cancelled() => return self.drain_and_disconnect(connection).await,
                () = leadership_change(self.presence.as_mut()) => Next::LeadershipChange,
                step = connection.wait(may_read) => Next::Step(step?),
            };
            match next {
                Next::LeadershipChange => self.publish_pending().await,
                Next::Step(Step::Event(Event::Incoming(packet))) => match packet {
                    Packet::ConnAck(_) => self.subscribe(&client),
                    Packet::SubAck(answer) => {
                        self.subscribed(&answer.return_codes)?;
                        *worked = true;
                    }
                    Packet::Publish(publish) => self.on_publish(publish, &mut connection, shutdown).await?,
                    _ => {}
                },
                Next::Step(step) => connection.act(&step).await?,
            }
        }
    }

    fn filters(&self) -> Vec<String> {
        filters(&self.config, self.presence.is_some())
    }

    fn subscribe(&self, client: &AsyncClient) {
        let filters = self.filters().into_iter().map(|path| SubscribeFilter { path, qos: QoS::AtLeastOnce });
        // The request queue of a new connection is empty, so that it has room for this request.
        let _ = client.try_subscribe_many(filters);
    }

    fn subscribed(&self, answers: &[SubscribeReasonCode]) -> Result<(), Disconnected> {
        for (filter, answer) in self.filters().into_iter().zip(answers) {
            match answer {
                SubscribeReasonCode::Success(_) => {}
                // Telemetry works without the broker's events.
                SubscribeReasonCode::Failure if filter.starts_with("$SYS") => {
                    warn!(filter, "the broker refuses the subscription to its events; device presence is unknown");
                }
                SubscribeReasonCode::Failure => return Err(Disconnected::Subscription(filter)),
            }
        }
        info!(client_id = self.client_id, broker = %self.config.address, "connected to the broker");
        Ok(())
    }

    async fn on_publish(
        &mut self,
        publish: Publish,
        connection: &mut Connection,
        shutdown: &CancellationToken,
    ) -> Result<(), Disconnected> {
        if publish.topic.starts_with("$SYS/") {
            let event = broker_events::read(&publish.topic, &publish.payload, publish.retain);
            if let (Some(presence), Some(event)) = (&mut self.presence, event) {
                presence.on_event(event).await;
            }
            if publish.qos == QoS::AtLeastOnce {
                connection.add_pending(publish.pkid).settle(true);
            }
            return Ok(());
        }
        let Some(checked) = self.while_connected(self.check(&publish), connection, shutdown).await? else {
            return Ok(());
        };
        let receipt = (publish.qos == QoS::AtLeastOnce).then(|| connection.add_pending(publish.pkid));
        let push = self.push(publish, checked, receipt);
        self.while_connected(push, connection, shutdown).await?.transpose().map(drop).map_err(Disconnected::Closed)
    }

    /// Waits for something slow, such as an unreachable log, while sending acknowledgements and pings. Returns `None`
    /// if the shutdown's drain time passes first.
    async fn while_connected<T>(
        &self,
        what: impl Future<Output = T>,
        connection: &mut Connection,
        shutdown: &CancellationToken,
    ) -> Result<Option<T>, Disconnected> {
        let drain_timeout = async {
            shutdown.cancelled().await;
            sleep(self.shared.limits.drain_timeout).await;
        };
        tokio::pin!(what, drain_timeout);
        loop {
            let step = tokio::select! {
                biased;
                done = &mut what => return Ok(Some(done)),
                () = &mut drain_timeout => return Ok(None),
                step = connection.wait(false) => step?,
            };
            connection.act(&step).await?;
        }
    }

    /// Passes a message to the pipeline.
    async fn push(
        &self,
        publish: Publish,
        checked: Result<Admitted, Refusal>,
        receipt: Option<Receipt>,
    ) -> Result<(), Closed> {
        let received_at = (self.shared.clock)();
        match checked {
            Ok(Admitted { organization, device, readings }) => {
                let (source, payload) = (IngestionSource::Mqtt, publish.payload);
                let reading = RawReading { organization, device, received_at, source, payload };
                self.shared.pipeline.accept(reading, readings, receipt).await
            }
            Err(why) => {
                let sender = topic::sender(&publish.topic).ok();
                let refused = RefusedMessage {
                    organization: sender.map(|(organization, _)| organization),
                    device: sender.map(|(_, device)| device),
                    topic: publish.topic.as_bytes(),
                    payload: &publish.payload,
                    received_at,
                };
                self.shared.pipeline.refuse(&refused, &why, receipt).await
            }
        }
    }

    /// Decides whether a message may enter the log.
    async fn check(&self, publish: &Publish) -> Result<Admitted, Refusal> {
        let (organization, device) = topic::sender(&publish.topic)?;
        if publish.retain {
            return Err(Refusal::Retained);
        }
        let (bytes, allowed) = (publish.payload.len(), self.shared.limits.max_packet_bytes);
        if bytes > allowed {
            return Err(Refusal::Oversize { bytes, allowed });
        }
        let check = || self.shared.pipeline.check(organization, device, &publish.payload);
        let mut checked = check();
        if checked == Err(Refusal::UnknownDevice) {
            // The device may be newer than this process's directory: catch up before refusing it.
            while !self.shared.catch_up().await {
                sleep(RETRY_DELAY).await;
            }
            checked = check();
        }
        checked.map(|readings| Admitted { organization, device, readings })
    }

    async fn publish_pending(&mut self) {
        if let Some(presence) = &mut self.presence {
            presence.publish_pending().await;
        }
    }

    /// Stops reading, acknowledges what is stored within the drain time, and disconnects; the broker keeps the session.
    async fn drain_and_disconnect(&self, mut connection: Connection) -> Result<(), Disconnected> {
        match timeout(self.shared.limits.drain_timeout, connection.drain()).await {
            Ok(drained) => drained?,
            Err(_) => {
                warn!(
                    client_id = self.client_id,
                    "disconnected before every message was stored; the broker delivers the rest again"
                );
            }
        }
        Ok(connection.disconnect().await?)
    }
}

/// Resolves when this bridge may have gained or lost the election.
async fn leadership_change(presence: Option<&mut PresencePublisher>) {
    match presence {
        Some(presence) => presence.leadership_change().await,
        None => std::future::pending().await,
    }
}

/// Returns the topic filters: telemetry, and the broker's events if `events`.
pub fn filters(config: &BridgeConfig, events: bool) -> Vec<String> {
    let events = broker_events::FILTERS.into_iter().filter(|_| events).map(str::to_owned);
    [config.filter()].into_iter().chain(events).collect()
}
