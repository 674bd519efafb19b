//! A connection to the broker as far as acknowledgements go: owed until a message is on disk, sent together, in the order in
//! which the messages came. What is done with a message is not known here.

use std::time::Duration;

use rumqttc::mqttbytes::v4::{Packet, PubAck};
use rumqttc::{ConnectionError, Event, EventLoop, StateError};
use tokio::time::{Instant, sleep, sleep_until};

use crate::pipeline::mailbox::Receipt;
use crate::pipeline::pending_acks::{NotStored, PendingAcks};

/// Acknowledgements that are sent at once; fewer wait for company.
const ACK_BATCH: usize = 100;
/// How long they wait.
const ACK_LINGER: Duration = Duration::from_millis(5);
/// How often the broker is told that the bridge is alive while nothing is read from it.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing more can be read.
    #[error("the connection to the broker failed")]
    Read(#[source] Box<ConnectionError>),
    /// Nothing more can be written.
    #[error("the broker could not be written to")]
    Write(#[source] Box<StateError>),
    /// A message did not get onto disk.
    #[error("the log did not take a message, which the broker delivers again")]
    Log(#[source] NotStored),
}

/// One connection. The next one begins with nothing owed, so that no packet identifier of this one is acknowledged there,
/// where it means another message.
pub struct Connection {
    events: EventLoop,
    pending_acks: PendingAcks<u16>,
    /// Packet identifiers whose messages are on disk and that are not sent yet.
    due: Vec<u16>,
    /// When they are sent at the latest.
    send_at: Option<Instant>,
}

/// Something to do.
#[derive(Debug)]
pub enum Step {
    /// The broker sent something, or something was sent to it.
    Event(Event),
    /// Messages may be on disk.
    Stored,
    /// Acknowledgements have waited long enough.
    SendAcks,
    /// The broker has heard nothing for a while.
    Ping,
}

impl Connection {
    /// Begins with nothing owed.
    pub fn new(events: EventLoop) -> Self {
        Self { events, pending_acks: PendingAcks::new(Default::default()), due: Vec::new(), send_at: None }
    }

    /// How many messages were read and are not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.pending_acks.len() + self.due.len()
    }

    /// Notes that a message's acknowledgement is owed; the receipt settles it.
    pub fn add_pending(&mut self, packet_id: u16) -> Receipt {
        self.pending_acks.add(packet_id)
    }

    /// Waits until there is something to do; reads only where it may. Nothing is lost when it is dropped.
    pub async fn wait(&mut self, may_read: bool) -> Result<Step, Error> {
        let send_at = self.send_at;
        tokio::select! {
            biased;
            () = self.pending_acks.notified() => Ok(Step::Stored),
            () = async { sleep_until(send_at.unwrap_or_else(Instant::now)).await }, if send_at.is_some() => Ok(Step::SendAcks),
            event = self.events.poll(), if may_read => event.map(Step::Event).map_err(|error| Error::Read(error.into())),
            () = sleep(PING_INTERVAL), if !may_read => Ok(Step::Ping),
        }
    }

    /// Does what a step asks of the connection itself.
    pub async fn act(&mut self, step: &Step) -> Result<(), Error> {
        match step {
            Step::Stored => self.collect().await,
            Step::SendAcks => self.send_acks().await,
            Step::Ping => self.ping().await,
            Step::Event(_) => Ok(()),
        }
    }

    /// Waits for what is owed, acknowledges it, and takes leave.
    pub async fn drain(&mut self) -> Result<(), Error> {
        while !self.pending_acks.is_empty() {
            self.pending_acks.notified().await;
            self.collect().await?;
        }
        self.send_acks().await
    }

    /// Takes leave; the broker keeps the session.
    pub async fn disconnect(&mut self) -> Result<(), Error> {
        self.write([Packet::Disconnect]).await
    }

    /// Finds what is due, and sends it where it is enough.
    async fn collect(&mut self) -> Result<(), Error> {
        let settled = self.pending_acks.take_stored(|packet_id| self.due.push(packet_id));
        if self.due.len() >= ACK_BATCH || settled.is_err() {
            self.send_acks().await?;
        } else if !self.due.is_empty() && self.send_at.is_none() {
            self.send_at = Some(Instant::now() + ACK_LINGER);
        }
        settled.map_err(Error::Log)
    }

    async fn send_acks(&mut self) -> Result<(), Error> {
        self.send_at = None;
        let due = std::mem::take(&mut self.due);
        self.write(due.into_iter().map(|packet_id| Packet::PubAck(PubAck::new(packet_id)))).await
    }

    /// Pings a broker that is not read: its answers wait unread, so none is expected.
    async fn ping(&mut self) -> Result<(), Error> {
        self.write([Packet::PingReq]).await?;
        self.events.state.await_pingresp = false;
        Ok(())
    }

    /// Writes packets with one flush for all.
    async fn write(&mut self, packets: impl IntoIterator<Item = Packet>) -> Result<(), Error> {
        let failed = |error: StateError| Error::Write(error.into());
        let Some(network) = self.events.network.as_mut() else { return Ok(()) };
        for packet in packets {
            network.write(packet).await.map_err(failed)?;
        }
        network.flush().await.map_err(failed)
    }
}
