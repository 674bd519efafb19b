//! A link to the broker, one connection after another: reads messages, judges them and hands them to the pipeline. How they
//! are acknowledged is elsewhere.

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

/// How long to rest before the log is asked again whether it knows a device.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// A connection to the broker that is made again whenever it ends.
pub struct Subscriber {
    shared: Arc<Shared>,
    config: Arc<BridgeConfig>,
    client_id: String,
    /// Who tells of comings and goings; none for a link that does not read them.
    presence: Option<PresencePublisher>,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Disconnected {
    #[error("the broker cannot be reached as it is set")]
    Address(#[from] BrokerAddressError),
    #[error(transparent)]
    Connection(#[from] connection::Error),
    #[error("the broker refuses the subscription of {0}: give the service account the right to read it")]
    Subscription(String),
    #[error("the pipeline is closed")]
    Closed(#[from] Closed),
}

/// What happens next on a link.
enum Next {
    /// This bridge may have become the one that tells.
    LeadershipChange,
    /// Something about the connection.
    Step(Step),
}

impl Subscriber {
    /// Makes a link under a client id that no other has.
    pub fn new(
        shared: Arc<Shared>,
        config: Arc<BridgeConfig>,
        client_id: String,
        presence: Option<PresencePublisher>,
    ) -> Self {
        Self { shared, config, client_id, presence }
    }

    /// Keeps the connection until the shutdown.
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
            warn!(client_id = self.client_id, broker = %self.config.address, error = &lost as &dyn std::error::Error,
                "connecting again in {delay:?}");
            shutdown.run_until_cancelled(sleep(delay)).await;
        }
    }

    /// Serves one connection; returns without an error when the shutdown ended it.
    async fn connection(&mut self, shutdown: &CancellationToken, worked: &mut bool) -> Result<(), Disconnected> {
        // A client of its own: nothing of an earlier connection is left in it.
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
        // The channel is empty on a new connection, so that it takes this one request.
        let _ = client.try_subscribe_many(filters);
    }

    fn subscribed(&self, answers: &[SubscribeReasonCode]) -> Result<(), Disconnected> {
        for (filter, answer) in self.filters().into_iter().zip(answers) {
            match answer {
                SubscribeReasonCode::Success(_) => {}
                // Without a broker's notices there is telemetry all the same.
                SubscribeReasonCode::Failure if filter.starts_with("$SYS") => {
                    warn!(filter, "the broker does not let its notices be read: devices' presence is not known");
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
            let notice = broker_events::read(&publish.topic, &publish.payload, publish.retain);
            if let (Some(presence), Some(notice)) = (&mut self.presence, notice) {
                presence.on_event(notice).await;
            }
            if publish.qos == QoS::AtLeastOnce {
                connection.add_pending(publish.pkid).settle(true);
            }
            return Ok(());
        }
        let Some(judged) = self.while_connected(self.judge(&publish), connection, shutdown).await? else {
            return Ok(());
        };
        let receipt = (publish.qos == QoS::AtLeastOnce).then(|| connection.add_pending(publish.pkid));
        let push = self.push(publish, judged, receipt);
        self.while_connected(push, connection, shutdown).await?.transpose().map(drop).map_err(Disconnected::Closed)
    }

    /// Waits for something that may take long, such as a log that is away, while acknowledgements go out and the broker
    /// hears that the bridge lives. None where a shutdown has waited long enough.
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

    /// Gives a message to the pipeline.
    async fn push(
        &self,
        publish: Publish,
        judged: Result<(OrganizationId, DeviceId), Refusal>,
        receipt: Option<Receipt>,
    ) -> Result<(), Closed> {
        let received_at = (self.shared.clock)();
        match judged {
            Ok((organization, device)) => {
                let (source, payload) = (IngestionSource::Mqtt, publish.payload);
                let reading = RawReading { organization, device, received_at, source, payload };
                self.shared.pipeline.accept(reading, receipt).await
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

    /// Decides whether a message may enter the log, and whose it is.
    async fn judge(&self, publish: &Publish) -> Result<(OrganizationId, DeviceId), Refusal> {
        let (organization, device) = topic::sender(&publish.topic)?;
        if publish.retain {
            return Err(Refusal::Retained);
        }
        let (bytes, allowed) = (publish.payload.len(), self.shared.limits.max_packet_bytes);
        if bytes > allowed {
            return Err(Refusal::Oversize { bytes, allowed });
        }
        let judge = || self.shared.pipeline.judge(organization, device, &publish.payload);
        let mut judged = judge();
        if judged == Err(Refusal::UnknownDevice) {
            // It may be newer than what this process knows: nobody is refused before the log was asked.
            while !self.shared.catch_up().await {
                sleep(RETRY_DELAY).await;
            }
            judged = judge();
        }
        judged.map(|()| (organization, device))
    }

    async fn publish_pending(&mut self) {
        if let Some(presence) = &mut self.presence {
            presence.publish_pending().await;
        }
    }

    /// Reads no more, acknowledges what is stored in time, and takes leave; the broker keeps the session.
    async fn drain_and_disconnect(&self, mut connection: Connection) -> Result<(), Disconnected> {
        match timeout(self.shared.limits.drain_timeout, connection.drain()).await {
            Ok(drained) => drained?,
            Err(_) => {
                warn!(client_id = self.client_id, "left before the log took everything; the broker delivers it again");
            }
        }
        Ok(connection.disconnect().await?)
    }
}

/// Resolves when a bridge may have become the one that tells.
async fn leadership_change(presence: Option<&mut PresencePublisher>) {
    match presence {
        Some(presence) => presence.leadership_change().await,
        None => std::future::pending().await,
    }
}

/// What is subscribed to: telemetry, and the broker's notices where they are read.
pub fn filters(config: &BridgeConfig, notices: bool) -> Vec<String> {
    let notices = broker_events::FILTERS.into_iter().filter(|_| notices).map(str::to_owned);
    [config.filter()].into_iter().chain(notices).collect()
}
