//! One connection to the broker and its acknowledgements: a PUBACK is pending until the message is on disk; PUBACKs are
//! sent in batches and in message order.

use std::time::Duration;

use rumqttc::mqttbytes::v4::{Packet, PubAck};
use rumqttc::{ConnectionError, Event, EventLoop, StateError};
use tokio::time::{Instant, sleep, sleep_until};

use crate::pipeline::mailbox::Receipt;
use crate::pipeline::pending_acks::{NotStored, PendingAcks};

/// Number of PUBACKs that are sent at once; fewer wait for `ACK_LINGER`.
const ACK_BATCH: usize = 100;
/// How long PUBACKs wait for others.
const ACK_LINGER: Duration = Duration::from_millis(5);
/// How often the bridge pings the broker while it reads nothing.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading failed.
    #[error("the connection to the broker failed")]
    Read(#[source] Box<ConnectionError>),
    /// Writing failed.
    #[error("failed to write to the broker")]
    Write(#[source] Box<StateError>),
    /// A message could not be stored.
    #[error("a message could not be stored; the broker delivers it again")]
    Log(#[source] NotStored),
}

/// One connection. A new connection starts without pending acknowledgements, so that a packet identifier of an old one
/// is never acknowledged on the new one, where it belongs to another message.
pub struct Connection {
    events: EventLoop,
    pending_acks: PendingAcks<u16>,
    /// Packet identifiers of stored messages whose PUBACKs have not been sent.
    due: Vec<u16>,
    /// When they are sent at the latest.
    send_at: Option<Instant>,
}

/// The next thing to do on a connection.
#[derive(Debug)]
pub enum Step {
    /// A packet was received or sent.
    Event(Event),
    /// Messages may have been stored.
    Stored,
    /// PUBACKs have waited for `ACK_LINGER`.
    SendAcks,
    /// Nothing has been sent to the broker for a while.
    Ping,
}

impl Connection {
    /// Starts without pending acknowledgements.
    pub fn new(events: EventLoop) -> Self {
        Self { events, pending_acks: PendingAcks::new(Default::default()), due: Vec::new(), send_at: None }
    }

    /// Returns the number of messages read and not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.pending_acks.len() + self.due.len()
    }

    /// Registers a pending acknowledgement; its receipt reports the outcome of the message.
    pub fn add_pending(&mut self, packet_id: u16) -> Receipt {
        self.pending_acks.add(packet_id)
    }

    /// Waits for the next step; reads from the broker only if `may_read`. Cancel-safe.
    pub async fn wait(&mut self, may_read: bool) -> Result<Step, Error> {
        let send_at = self.send_at;
        tokio::select! {
            // Stored messages are acknowledged before new ones are read.
            biased;
            () = self.pending_acks.notified() => Ok(Step::Stored),
            () = async { sleep_until(send_at.unwrap_or_else(Instant::now)).await }, if send_at.is_some() => Ok(Step::SendAcks),
            event = self.events.poll(), if may_read => event.map(Step::Event).map_err(|error| Error::Read(error.into())),
            () = sleep(PING_INTERVAL), if !may_read => Ok(Step::Ping),
        }
    }

    /// Performs the connection's part of a step.
    pub async fn act(&mut self, step: &Step) -> Result<(), Error> {
        match step {
            Step::Stored => self.collect().await,
            Step::SendAcks => self.send_acks().await,
            Step::Ping => self.ping().await,
            Step::Event(_) => Ok(()),
        }
    }

    /// Waits until all pending messages are stored and acknowledges them.
    pub async fn drain(&mut self) -> Result<(), Error> {
        while !self.pending_acks.is_empty() {
            self.pending_acks.notified().await;
            self.collect().await?;
        }
        self.send_acks().await
    }

    /// Sends DISCONNECT; the broker keeps the session.
    pub async fn disconnect(&mut self) -> Result<(), Error> {
        self.write([Packet::Disconnect]).await
    }

    /// Collects the PUBACKs that are due and sends them if there are enough.
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

    /// Sends a PINGREQ while nothing is read. The answer stays unread, so it is not waited for.
    async fn ping(&mut self) -> Result<(), Error> {
        self.write([Packet::PingReq]).await?;
        self.events.state.await_pingresp = false;
        Ok(())
    }

    /// Writes packets with a single flush.
    async fn write(&mut self, packets: impl IntoIterator<Item = Packet>) -> Result<(), Error> {
        let failed = |error: StateError| Error::Write(error.into());
        let Some(network) = self.events.network.as_mut() else { return Ok(()) };
        for packet in packets {
            network.write(packet).await.map_err(failed)?;
        }
        network.flush().await.map_err(failed)
    }
}
