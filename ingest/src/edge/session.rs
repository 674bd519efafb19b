//! A device's session: reads packets as far as the limits allow, answers them together, and hands messages on. Nothing
//! is read while too much is unacknowledged, while the lanes are full, or while the device is over its rate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use domain::telemetry::{IngestionSource, RawReading};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep_until, timeout};

use super::Edge;
use super::end::{End, Violation};
use super::frame::{self, Frame, Next};
use super::handshake::Stream;
use super::packet::{self, Connect, Malformed, Packet, Version};
use super::publish::{self, Beginning, Publish};
use super::reply;
use super::sessions::Handle;
use super::throttle::Throttle;
use crate::decide::{Allowed, Reason};
use crate::pipeline::mailbox::Receipt;
use crate::pipeline::owed::{Failed, Owed};
use crate::pipeline::refusal::Refusal;
use crate::pipeline::topic::authorize_publish;
use crate::pipeline::{Closed, Refused};

/// Octets made room for when a buffer runs short.
const READ_BYTES: usize = 2_048;
/// Room made at a time for a large packet: it is given as the packet arrives, not as it is announced.
const MOST_ROOM: usize = 16 * 1_024;
/// A buffer with less room than this is given more before reading.
const LEAST_ROOM: usize = 512;
/// How often a session looks at the clock at least: the platform's clock may be set.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// A session and everything that belongs to it alone.
pub struct Session {
    /// What may be done, and until when.
    pub allowed: Allowed,
    /// The session as others see it.
    pub handle: Arc<Handle>,
    /// The connection.
    pub stream: Stream,
    /// What is to be sent.
    pub out: BytesMut,
    /// The protocol version.
    pub version: Version,
    /// What is used of the device's rate.
    pub throttle: Throttle,
    edge: Arc<Edge>,
    buffer: BytesMut,
    /// QoS 1 messages whose acknowledgements are not sent.
    owed: Owed<Puback>,
    quiet_limit: Duration,
    heard_at: Instant,
    resume_at: Option<Instant>,
    subscribed: bool,
}

/// A PUBACK that is owed.
struct Puback {
    packet_id: u16,
    code: u8,
    arrived: Instant,
}

impl Session {
    /// Begins a session.
    pub fn new(
        edge: Arc<Edge>,
        stream: Stream,
        buffer: BytesMut,
        out: BytesMut,
        connect: &Connect,
        allowed: Allowed,
        handle: Arc<Handle>,
    ) -> Self {
        let now = Instant::now();
        let quiet_limit = match connect.keep_alive_seconds {
            0 => edge.limits.idle_timeout,
            // One and a half times what the client promises (3.1.2.10).
            seconds => Duration::from_millis(u64::from(seconds) * 1_500),
        };
        let throttle = edge.sessions.take_throttle(allowed.device, now);
        Self {
            owed: Owed::new(handle.mailbox.clone()),
            allowed,
            handle,
            stream,
            out,
            version: connect.version,
            throttle,
            edge,
            buffer,
            quiet_limit,
            heard_at: now,
            resume_at: None,
            subscribed: false,
        }
    }

    /// Serves the device until the session ends.
    pub async fn run(&mut self) -> End {
        match self.converse().await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    /// Waits for the acknowledgements still owed and sends them.
    pub async fn drain(&mut self, within: Duration) {
        let _ = timeout(within, async {
            while !self.owed.is_empty() {
                self.owed.rung().await;
                self.collect()?;
            }
            self.flush().await
        })
        .await;
    }

    async fn converse(&mut self) -> Result<std::convert::Infallible, End> {
        let timer = sleep_until(self.next_look(Instant::now()).into());
        tokio::pin!(timer);
        loop {
            self.collect()?;
            self.work().await?;
            self.flush().await?;
            let may_read = self.may_read();
            if may_read {
                self.make_room();
            }
            if let Some(resume_at) = self.resume_at {
                timer.as_mut().reset(resume_at.into());
            }
            tokio::select! {
                biased;
                end = self.handle.ended() => return Err(end),
                () = self.owed.rung() => {}
                read = self.stream.read_buf(&mut self.buffer), if may_read => match read {
                    Ok(1..) => self.heard_at = Instant::now(),
                    Ok(0) | Err(_) => return Err(End::ConnectionLost),
                },
                () = &mut timer => {
                    let now = Instant::now();
                    self.look_at_the_clock(now, may_read)?;
                    timer.as_mut().reset(self.next_look(now).into());
                }
            }
        }
    }

    fn may_read(&self) -> bool {
        self.resume_at.is_none() && self.owed.len() < usize::from(self.edge.limits.receive_maximum)
    }

    /// Handles the packets that are there, as far as the limits allow.
    async fn work(&mut self) -> Result<(), End> {
        while self.may_read() {
            match frame::next(&mut self.buffer, self.edge.limits.max_packet_bytes) {
                Next::Frame(frame) if frame.kind() == 3 => self.on_publish(&frame).await?,
                Next::Frame(frame) => self.on_packet(&frame)?,
                Next::Incomplete { missing } => {
                    if missing > self.buffer.capacity() - self.buffer.len() {
                        self.buffer.reserve(missing.clamp(READ_BYTES, MOST_ROOM));
                    }
                    return Ok(());
                }
                Next::Oversize { first, header_bytes, bytes } => {
                    return self.on_oversize(first, header_bytes, bytes).await;
                }
                Next::Malformed => return Err(End::Protocol(Violation::Malformed, "remaining length")),
            }
        }
        Ok(())
    }

    async fn on_publish(&mut self, frame: &Frame) -> Result<(), End> {
        let publish = publish::read(frame, self.version).map_err(malformed)?;
        self.check_publish(&publish)?;
        let now = Instant::now();
        if let Some(resume_at) = self.throttle.count(self.edge.rate, now) {
            self.resume_at = Some(resume_at);
            self.edge.meters.rate_pauses.increment(1);
        }
        let Allowed { organization, device, topics, .. } = &self.allowed;
        let judged = authorize_publish(*organization, *device, topics, &publish.topic)
            .and_then(|()| self.edge.pipeline.judge(*organization, *device, &publish.payload));
        let code = judged.as_ref().map_or_else(Refusal::puback_code, |()| 0);
        let puback = || Puback { packet_id: publish.packet_id, code, arrived: now };
        let receipt = (publish.qos == 1).then(|| self.owed.expect(puback()));
        self.hand_on(publish, judged, receipt).await
    }

    fn check_publish(&self, publish: &Publish) -> Result<(), End> {
        let violation = match publish {
            Publish { qos: 2, .. } => (Violation::Qos, "QoS 2"),
            Publish { aliased: true, .. } => (Violation::TopicAlias, "topic alias"),
            Publish { retain: true, .. } if self.version == Version::V5 => (Violation::Retain, "retained message"),
            Publish { topic, .. } if topic.is_empty() => (Violation::Protocol, "empty topic"),
            _ => return Ok(()),
        };
        Err(End::Protocol(violation.0, violation.1))
    }

    /// Gives a message to the pipeline, waiting while that is full unless the session ends.
    async fn hand_on(
        &self,
        publish: Publish,
        judged: Result<(), Refusal>,
        receipt: Option<Receipt>,
    ) -> Result<(), End> {
        let received_at = (self.edge.clock)();
        let Allowed { organization, device, .. } = self.allowed;
        match judged {
            Ok(()) => {
                let source = IngestionSource::Mqtt;
                let reading = RawReading { organization, device, received_at, source, payload: publish.payload };
                self.unless_ended(self.edge.pipeline.accept(reading, receipt)).await
            }
            Err(why) => {
                let Publish { topic, payload, .. } = &publish;
                let (organization, device) = (Some(organization), Some(device));
                let refused = Refused { organization, device, topic, payload, received_at };
                self.unless_ended(self.edge.pipeline.refuse(&refused, &why, receipt)).await
            }
        }
    }

    async fn unless_ended(&self, pushed: impl Future<Output = Result<(), Closed>>) -> Result<(), End> {
        tokio::select! {
            biased;
            taken = pushed => taken.map_err(|Closed| End::Shutdown),
            end = self.handle.ended() => Err(end),
        }
    }

    fn on_packet(&mut self, frame: &Frame) -> Result<(), End> {
        match packet::packet(frame, self.version).map_err(malformed)? {
            Packet::Ping => reply::pong(&mut self.out),
            Packet::Subscribe { packet_id, filters } => self.on_subscribe(packet_id, &filters),
            Packet::Unsubscribe { packet_id, filters } => self.on_unsubscribe(packet_id, &filters),
            Packet::Disconnect { with_will } => return Err(End::ClientDisconnect { with_will }),
            Packet::Unexpected => return Err(End::Protocol(Violation::Protocol, "a packet out of place")),
        }
        Ok(())
    }

    fn on_subscribe(&mut self, packet_id: u16, filters: &[(String, u8)]) {
        let refusal = if self.version == Version::V3 { 0x80 } else { 0x87 };
        let own = |filter: &str| filter == self.allowed.topics.commands;
        let codes: Vec<u8> =
            filters.iter().map(|(filter, qos)| if own(filter) { (*qos).min(1) } else { refusal }).collect();
        self.subscribed |= filters.iter().any(|(filter, _)| own(filter));
        reply::suback(&mut self.out, self.version, packet_id, &codes);
    }

    fn on_unsubscribe(&mut self, packet_id: u16, filters: &[String]) {
        let mut codes = Vec::with_capacity(filters.len());
        for filter in filters {
            let ends = self.subscribed && *filter == self.allowed.topics.commands;
            self.subscribed &= !ends;
            codes.push(if ends { 0x00 } else { 0x11 });
        }
        reply::unsuback(&mut self.out, self.version, packet_id, &codes);
    }

    /// Ends the session for a packet that is too large, with a dead letter where its topic can be read.
    async fn on_oversize(&mut self, first: u8, header_bytes: usize, bytes: usize) -> Result<(), End> {
        let end = End::Protocol(Violation::PacketTooLarge, "a packet above the maximum packet size");
        if first >> 4 != 3 {
            return Err(end);
        }
        let Some(Beginning { topic, payload }) = publish::beginning(first, &self.buffer[header_bytes..], self.version)
        else {
            self.buffer.reserve(READ_BYTES);
            return Ok(());
        };
        let Allowed { organization, device, .. } = self.allowed;
        let (organization, device) = (Some(organization), Some(device));
        let refused = Refused { organization, device, topic, payload, received_at: (self.edge.clock)() };
        let why = Refusal::Oversize { bytes, allowed: self.edge.limits.max_packet_bytes };
        self.unless_ended(self.edge.pipeline.refuse(&refused, &why, None)).await?;
        Err(end)
    }

    /// Writes the PUBACKs whose messages are on disk, in order of receipt (4.6).
    fn collect(&mut self) -> Result<(), End> {
        let Self { owed, out, edge, version, .. } = self;
        let settled = owed.due(|puback| {
            edge.meters.puback_seconds.record(puback.arrived.elapsed().as_secs_f64());
            reply::puback(out, *version, puback.packet_id, puback.code);
        });
        settled.map_err(|Failed| End::LogUnavailable)
    }

    /// Sends what was written, unless the device does not read or the session ends.
    async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = timeout(self.edge.limits.write_timeout, async {
            // Cut short by an end, it leaves what is not written: the farewell goes on from there.
            self.stream.write_all_buf(&mut self.out).await?;
            self.stream.flush().await
        });
        tokio::select! {
            biased;
            written = written => match written {
                Ok(Ok(())) => Ok(()),
                _ => Err(End::ConnectionLost),
            },
            end = self.handle.ended() => Err(end),
        }
    }

    fn make_room(&mut self) {
        if self.buffer.is_empty() && self.buffer.capacity() > 2 * READ_BYTES {
            // A large packet must not keep its room for the life of the session.
            self.buffer = BytesMut::new();
        }
        if self.buffer.capacity() - self.buffer.len() < LEAST_ROOM {
            self.buffer.reserve(READ_BYTES);
        }
    }

    fn look_at_the_clock(&mut self, now: Instant, was_reading: bool) -> Result<(), End> {
        let paused = self.resume_at.is_some();
        self.resume_at = self.resume_at.filter(|resume_at| *resume_at > now);
        if !was_reading || paused {
            // Whether a device is silent shows only while it is read.
            self.heard_at = now;
        }
        if now.duration_since(self.heard_at) >= self.quiet_limit {
            return Err(End::Silent);
        }
        if (self.edge.clock)().timestamp() > self.allowed.expires_at.timestamp() {
            return Err(End::Denied(Reason::Expired));
        }
        Ok(())
    }

    /// Returns when to look at the clock next: when the device may have been silent for too long, when its certificate
    /// ends, and every minute.
    fn next_look(&self, now: Instant) -> Instant {
        // The last second is valid to its end.
        let left =
            (self.allowed.expires_at - (self.edge.clock)()).to_std().unwrap_or_default() + Duration::from_secs(1);
        (self.heard_at + self.quiet_limit).min(now + left).min(now + LOOK_EVERY).max(now + Duration::from_millis(1))
    }
}

fn malformed(Malformed(what): Malformed) -> End {
    End::Protocol(Violation::Malformed, what)
}
