//! A link to the broker, one connection after another: reads messages, judges them and hands them to the pipeline. How they
//! are acknowledged is elsewhere.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::{IngestionSource, RawReading};
use metrics::counter;
use rumqttc::mqttbytes::v4::{Packet, Publish, SubscribeReasonCode};
use rumqttc::{AsyncClient, Event, QoS, SubscribeFilter};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::config::{AddressError, BridgeConfig, REQUESTS};
use super::connection::{self, Connection, Step};
use super::notice;
use super::teller::Teller;
use crate::metric_names as names;
use crate::pipeline::mailbox::Receipt;
use crate::pipeline::refusal::Refusal;
use crate::pipeline::{Closed, Refused, topic};
use crate::shared::Shared;

/// Shortest and longest pause before connecting again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How long to rest before the log is asked again whether it knows a device.
const REST: Duration = Duration::from_millis(200);

/// A connection to the broker that is made again whenever it ends.
pub struct Link {
    shared: Arc<Shared>,
    config: Arc<BridgeConfig>,
    client_id: String,
    /// Who tells of comings and goings; none for a link that does not read them.
    teller: Option<Teller>,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("the broker cannot be reached as it is set")]
    Address(#[from] AddressError),
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
    Elected,
    /// Something about the connection.
    Step(Step),
}

impl Link {
    /// Makes a link under a client id that no other has.
    pub fn new(shared: Arc<Shared>, config: Arc<BridgeConfig>, client_id: String, teller: Option<Teller>) -> Self {
        Self { shared, config, client_id, teller }
    }

    /// Keeps the connection until the shutdown.
    pub async fn run(mut self, shutdown: CancellationToken) {
        if let Some(teller) = &self.teller {
            shutdown.run_until_cancelled(teller.ready()).await;
        }
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
    async fn connection(&mut self, shutdown: &CancellationToken, worked: &mut bool) -> Result<(), Lost> {
        // A client of its own: nothing of an earlier connection is left in it.
        let (client, events) = AsyncClient::new(self.config.options(&self.client_id)?, REQUESTS);
        let mut connection = Connection::new(events);
        loop {
            let may_read = connection.unacknowledged() < self.config.max_unacknowledged;
            let next = tokio::select! {
                biased;
                () = shutdown.cancelled() => return self.leave(connection).await,
                () = elected(self.teller.as_mut()) => Next::Elected,
                step = connection.wait(may_read) => Next::Step(step?),
            };
            match next {
                Next::Elected => self.tell_heard().await,
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
        filters(&self.config, self.teller.is_some())
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

    async fn on_publish(
        &mut self,
        publish: Publish,
        connection: &mut Connection,
        shutdown: &CancellationToken,
    ) -> Result<(), Lost> {
        if publish.topic.starts_with("$SYS/") {
            let notice = notice::read(&publish.topic, &publish.payload, publish.retain);
            if let (Some(teller), Some(notice)) = (&mut self.teller, notice) {
                teller.hear(notice).await;
            }
            if publish.qos == QoS::AtLeastOnce {
                connection.expect(publish.pkid).settle(true);
            }
            return Ok(());
        }
        let Some(judged) = self.patiently(self.judge(&publish), connection, shutdown).await? else { return Ok(()) };
        let receipt = (publish.qos == QoS::AtLeastOnce).then(|| connection.expect(publish.pkid));
        let taking = self.take(publish, judged, receipt);
        self.patiently(taking, connection, shutdown).await?.transpose().map(drop).map_err(Lost::Closed)
    }

    /// Waits for something that may take long, such as a log that is away, while acknowledgements go out and the broker
    /// hears that the bridge lives. None where a shutdown has waited long enough.
    async fn patiently<T>(
        &self,
        what: impl Future<Output = T>,
        connection: &mut Connection,
        shutdown: &CancellationToken,
    ) -> Result<Option<T>, Lost> {
        let given_up = async {
            shutdown.cancelled().await;
            sleep(self.shared.limits.drain_timeout).await;
        };
        tokio::pin!(what, given_up);
        loop {
            let step = tokio::select! {
                biased;
                done = &mut what => return Ok(Some(done)),
                () = &mut given_up => return Ok(None),
                step = connection.wait(false) => step?,
            };
            connection.act(&step).await?;
        }
    }

    /// Gives a message to the pipeline.
    async fn take(
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
                let refused = Refused {
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
                sleep(REST).await;
            }
            judged = judge();
        }
        judged.map(|()| (organization, device))
    }

    async fn tell_heard(&mut self) {
        if let Some(teller) = &mut self.teller {
            teller.tell_heard().await;
        }
    }

    /// Reads no more, acknowledges what is stored in time, and takes leave; the broker keeps the session.
    async fn leave(&self, mut connection: Connection) -> Result<(), Lost> {
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
async fn elected(teller: Option<&mut Teller>) {
    match teller {
        Some(teller) => teller.changed().await,
        None => std::future::pending().await,
    }
}

/// What is subscribed to: telemetry, and the broker's notices where they are read.
pub fn filters(config: &BridgeConfig, notices: bool) -> Vec<String> {
    let notices = notice::FILTERS.into_iter().filter(|_| notices).map(str::to_owned);
    [config.filter()].into_iter().chain(notices).collect()
}

/// The pauses before connecting to a broker again.
pub fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(PAUSES.0)
        .with_max_delay(PAUSES.1)
        .without_max_times()
        .with_jitter()
        .build()
}
