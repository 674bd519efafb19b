//! One connection to the broker: reads messages, hands them to the pipeline, and acknowledges those that are on disk, in
//! the order in which they came. Each connection owes for itself: what an earlier one still owed is delivered again, and
//! is never acknowledged by a packet identifier that means another message now.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::{IngestionSource, RawReading};
use metrics::counter;
use rumqttc::mqttbytes::v4::{Packet, PubAck, Publish, SubscribeReasonCode};
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, QoS, StateError, SubscribeFilter};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::config::{AddressError, BridgeConfig, REQUESTS};
use super::notice::{self, Notice};
use crate::metric_names as names;
use crate::pipeline::owed::{Failed, Owed};
use crate::pipeline::refusal::Refusal;
use crate::pipeline::{Closed, Refused, topic};
use crate::presence::Whom;
use crate::shared::Shared;

/// Shortest and longest pause before connecting again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A connection to the broker that is made again whenever it ends.
pub struct Link {
    shared: Arc<Shared>,
    config: Arc<BridgeConfig>,
    client_id: String,
    /// Whether this process tells of comings and goings; none for a link that does not read them.
    notices: Option<Arc<AtomicBool>>,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("the broker cannot be reached as it is set")]
    Address(#[from] AddressError),
    #[error("the connection to the broker failed")]
    Connection(#[from] Box<ConnectionError>),
    #[error("an acknowledgement could not be sent")]
    Acknowledge(#[from] Box<StateError>),
    #[error("the broker refuses the subscription of {0}: give the service account the right to read it")]
    Subscription(String),
    #[error("the log did not take a message, which the broker delivers again")]
    Log(#[from] Failed),
    #[error("the pipeline is closed")]
    Closed(#[from] Closed),
}

impl Link {
    /// Makes a link under a client id that no other has.
    pub fn new(
        shared: Arc<Shared>,
        config: Arc<BridgeConfig>,
        client_id: String,
        notices: Option<Arc<AtomicBool>>,
    ) -> Self {
        Self { shared, config, client_id, notices }
    }

    /// Keeps the connection until the shutdown.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut pauses = pauses();
        while !shutdown.is_cancelled() {
            let mut worked = false;
            let Err(lost) = self.connection(&shutdown, &mut worked).await else { return };
            counter!(names::BRIDGE_CONNECTIONS_LOST).increment(1);
            if worked {
                pauses = self::pauses();
            }
            let pause = pauses.next().unwrap_or(PAUSES.1);
            warn!(client_id = self.client_id, broker = %self.config.address, error = &lost as &dyn std::error::Error,
                "connecting again in {pause:?}");
            shutdown.run_until_cancelled(sleep(pause)).await;
        }
    }

    /// Serves one connection; returns without an error when the shutdown ended it.
    async fn connection(&self, shutdown: &CancellationToken, worked: &mut bool) -> Result<(), Lost> {
        // A client of its own: nothing of an earlier connection is left in it.
        let (client, mut events) = AsyncClient::new(self.config.options(&self.client_id)?, REQUESTS);
        let mut owed = Owed::new(Arc::default());
        loop {
            let may_read = owed.len() <= self.config.max_unacknowledged;
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return self.leave(&mut events, owed).await,
                () = owed.rung() => acknowledge(&mut events, &mut owed).await?,
                event = events.poll(), if may_read => match event.map_err(Box::new)? {
                    Event::Incoming(Packet::ConnAck(_)) => self.subscribe(&client),
                    Event::Incoming(Packet::SubAck(answer)) => {
                        self.subscribed(&answer.return_codes)?;
                        *worked = true;
                    }
                    Event::Incoming(Packet::Publish(publish)) => self.on_publish(publish, &mut owed).await?,
                    _ => {}
                }
            }
        }
    }

    fn filters(&self) -> Vec<String> {
        let notices = self.notices.iter().flat_map(|_| notice::FILTERS.map(str::to_owned));
        [self.config.filter()].into_iter().chain(notices).collect()
    }

    fn subscribe(&self, client: &AsyncClient) {
        let filters = self.filters().into_iter().map(|path| SubscribeFilter { path, qos: QoS::AtLeastOnce });
        // The channel is empty on a new connection, so that it takes this one request.
        let _ = client.try_subscribe_many(filters);
    }

    fn subscribed(&self, answers: &[SubscribeReasonCode]) -> Result<(), Lost> {
        for (filter, answer) in self.filters().into_iter().zip(answers) {
            match answer {
                SubscribeReasonCode::Success(_) => {}
                // Without a broker's notices there is telemetry all the same.
                SubscribeReasonCode::Failure if filter.starts_with("$SYS") => {
                    warn!(filter, "the broker does not let its notices be read: devices' presence is not known");
                }
                SubscribeReasonCode::Failure => return Err(Lost::Subscription(filter)),
            }
        }
        info!(client_id = self.client_id, broker = %self.config.address, "connected to the broker");
        Ok(())
    }

    async fn on_publish(&self, publish: Publish, owed: &mut Owed<u16>) -> Result<(), Lost> {
        if let Some(notice) = notice::read(&publish.topic, &publish.payload) {
            self.tell(notice).await;
            if publish.qos == QoS::AtLeastOnce {
                owed.expect(publish.pkid).settle(true);
            }
            return Ok(());
        }
        let judged = self.judge(&publish).await;
        let receipt = (publish.qos == QoS::AtLeastOnce).then(|| owed.expect(publish.pkid));
        let received_at = (self.shared.clock)();
        match judged {
            Ok((organization, device)) => {
                let (source, payload) = (IngestionSource::Mqtt, publish.payload);
                let reading = RawReading { organization, device, received_at, source, payload };
                Ok(self.shared.pipeline.accept(reading, receipt).await?)
            }
            Err(why) => {
                let sender = topic::sender(&publish.topic).ok();
                let refused = Refused {
                    organization: sender.map(|(organization, _)| organization),
                    device: sender.map(|(_, device)| device),
                    topic: publish.topic.as_bytes(),
                    payload: &publish.payload,
                    received_at,
                };
                Ok(self.shared.pipeline.refuse(&refused, &why, receipt).await?)
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
        match judge() {
            // A device may be newer than what this process knows.
            Err(Refusal::UnknownDevice) if self.shared.catch_up().await => judge(),
            judged => judged,
        }
        .map(|()| (organization, device))
    }

    async fn tell(&self, notice: Notice) {
        if !self.notices.as_ref().is_some_and(|tells| tells.load(Relaxed)) {
            return;
        }
        let Some(known) = self.shared.directory.device(notice.device) else { return };
        // A broker's notices carry no session: an end is the end of whatever session there is.
        let whom = Whom { organization: Some(known.organization), device: Some(notice.device), session: None };
        self.shared.presence.tell_of(&self.config.broker, notice.kind, whom, notice.reason.as_deref()).await;
    }

    /// Reads no more, acknowledges what is stored in time, and takes leave; the broker keeps the session.
    async fn leave(&self, events: &mut EventLoop, mut owed: Owed<u16>) -> Result<(), Lost> {
        let draining = async {
            while !owed.is_empty() {
                owed.rung().await;
                acknowledge(events, &mut owed).await?;
            }
            Ok::<_, Lost>(())
        };
        if timeout(self.shared.limits.drain_timeout, draining).await.is_err() {
            warn!(client_id = self.client_id, "left before the log took everything; the broker delivers it again");
        }
        if let Some(network) = events.network.as_mut() {
            network.write(Packet::Disconnect).await.map_err(Box::new)?;
            network.flush().await.map_err(Box::new)?;
        }
        Ok(())
    }
}

/// Sends what is due, with one flush for all.
async fn acknowledge(events: &mut EventLoop, owed: &mut Owed<u16>) -> Result<(), Lost> {
    let mut due = Vec::new();
    let settled = owed.due(|id| due.push(id));
    if let Some(network) = events.network.as_mut().filter(|_| !due.is_empty()) {
        for id in due {
            network.write(Packet::PubAck(PubAck::new(id))).await.map_err(Box::new)?;
        }
        network.flush().await.map_err(Box::new)?;
    }
    Ok(settled?)
}

fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(PAUSES.0)
        .with_max_delay(PAUSES.1)
        .without_max_times()
        .with_jitter()
        .build()
}
