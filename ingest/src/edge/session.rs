//! A device's session: reads packets within the limits, batches its answers, and passes messages to the pipeline. It
//! stops reading while too many messages are unacknowledged, the lanes are full, or the device is over its rate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use domain::telemetry::{IngestionSource, RawReading};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep_until, timeout};

use super::Edge;
use super::acks::Acks;
use super::frame::{self, Frame, Next};
use super::handshake::Stream;
use super::packet::{self, Connect, Malformed, Packet, Version};
use super::publish::{self, Publish, PublishHead};
use super::rate_limit::Throttle;
use super::reply;
use super::session_end::{ProtocolViolation, SessionEnd};
use super::session_registry::SessionHandle;
use crate::decide::{Allowed, Reason};
use crate::pipeline::mailbox::Receipt;
use crate::pipeline::pending_acks::NotStored;
use crate::pipeline::refusal::Refusal;
use crate::pipeline::topic::authorize_publish;
use crate::pipeline::{Closed, RefusedMessage};

/// Bytes reserved when the read buffer runs short.
const READ_BYTES: usize = 2_048;
/// Most bytes reserved at once: memory for a large packet grows with what arrives, not with the announced length.
const MAX_RESERVE_BYTES: usize = 16 * 1_024;
/// The read buffer is extended if it has less free space than this.
const MIN_FREE_BYTES: usize = 512;
/// Longest time between two checks of the certificate's expiry: the platform's clock may be set.
const CLOCK_CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// A session and the state that belongs to it alone.
pub struct Session {
    /// What the device may do, and until when.
    pub allowed: Allowed,
    /// The session as seen by other tasks.
    pub handle: Arc<SessionHandle>,
    /// The connection.
    pub stream: Stream,
    /// Bytes to send.
    pub out: BytesMut,
    /// The protocol version.
    pub version: Version,
    /// The state of the device's rate limit.
    pub throttle: Throttle,
    edge: Arc<Edge>,
    buffer: BytesMut,
    /// The acknowledgements that have not been sent.
    acks: Acks,
    silence_limit: Duration,
    heard_at: Instant,
    resume_at: Option<Instant>,
    subscribed: bool,
}

impl Session {
    /// Starts a session.
    pub fn new(
        edge: Arc<Edge>,
        stream: Stream,
        buffer: BytesMut,
        out: BytesMut,
        connect: &Connect,
        allowed: Allowed,
        handle: Arc<SessionHandle>,
    ) -> Self {
        let now = Instant::now();
        let silence_limit = match connect.keep_alive_seconds {
            0 => edge.limits.idle_timeout,
            // MQTT allows one and a half keep-alive intervals (3.1.2.10).
            seconds => Duration::from_millis(u64::from(seconds) * 1_500),
        };
        let throttle = edge.sessions.take_throttle(allowed.device, now);
        Self {
            acks: Acks::new(handle.mailbox.clone(), connect.version, edge.limits.receive_maximum),
            allowed,
            handle,
            stream,
            out,
            version: connect.version,
            throttle,
            edge,
            buffer,
            silence_limit,
            heard_at: now,
            resume_at: None,
            subscribed: false,
        }
    }

    /// Serves the device until the session ends.
    pub async fn run(&mut self) -> SessionEnd {
        match self.serve_packets().await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    /// Waits for pending messages to be stored and acknowledges them.
    pub async fn drain(&mut self, within: Duration) {
        let _ = timeout(within, async {
            while !self.acks.is_empty() {
                self.acks.notified().await;
                self.write_due_acks()?;
            }
            self.flush().await
        })
        .await;
    }

    async fn serve_packets(&mut self) -> Result<std::convert::Infallible, SessionEnd> {
        let timer = sleep_until(self.next_timeout_check(Instant::now()).into());
        tokio::pin!(timer);
        loop {
            self.write_due_acks()?;
            self.handle_packets().await?;
            self.flush().await?;
            let may_read = self.may_read();
            if may_read {
                self.reserve_read_buffer();
            }
            if let Some(resume_at) = self.resume_at {
                timer.as_mut().reset(resume_at.into());
            }
            tokio::select! {
                // The end of the session has priority, then acknowledgements, then new messages.
                biased;
                end = self.handle.ended() => return Err(end),
                () = self.acks.notified() => {}
                read = self.stream.read_buf(&mut self.buffer), if may_read => match read {
                    Ok(1..) => self.heard_at = Instant::now(),
                    Ok(0) | Err(_) => return Err(SessionEnd::ConnectionLost),
                },
                () = &mut timer => {
                    let now = Instant::now();
                    self.check_timeouts(now, may_read)?;
                    timer.as_mut().reset(self.next_timeout_check(now).into());
                }
            }
        }
    }

    fn may_read(&self) -> bool {
        self.resume_at.is_none() && self.acks.len() < usize::from(self.edge.limits.receive_maximum)
    }

    /// Handles the packets in the buffer, within the limits.
    async fn handle_packets(&mut self) -> Result<(), SessionEnd> {
        while self.may_read() {
            match frame::next(&mut self.buffer, self.edge.limits.max_packet_bytes) {
                Next::Frame(frame) if frame.kind() == 3 => self.on_publish(&frame).await?,
                Next::Frame(frame) => self.on_packet(&frame)?,
                Next::Incomplete { missing } => {
                    if missing > self.buffer.capacity() - self.buffer.len() {
                        self.buffer.reserve(missing.clamp(READ_BYTES, MAX_RESERVE_BYTES));
                    }
                    return Ok(());
                }
                Next::Oversize { first, header_bytes, bytes } => {
                    return self.on_oversize(first, header_bytes, bytes).await;
                }
                Next::Malformed => return Err(SessionEnd::Protocol(ProtocolViolation::Malformed, "remaining length")),
            }
        }
        Ok(())
    }

    async fn on_publish(&mut self, frame: &Frame) -> Result<(), SessionEnd> {
        let publish = publish::read(frame, self.version).map_err(malformed)?;
        self.check_publish(&publish)?;
        let now = Instant::now();
        // Refused messages count against the rate as well.
        if let Some(resume_at) = self.throttle.count(self.edge.rate, now) {
            self.resume_at = Some(resume_at);
            self.edge.meters.rate_pauses.increment(1);
        }
        if self.acks.repeats(&publish, now) {
            return Ok(());
        }
        let Allowed { organization, device, topics, .. } = &self.allowed;
        let checked = authorize_publish(*organization, *device, topics, &publish.topic)
            .and_then(|()| self.edge.pipeline.check(*organization, *device, &publish.payload));
        let code = checked.as_ref().map_or_else(Refusal::puback_code, |_| 0);
        // Registered before the push, which may settle it at once.
        let receipt = self.acks.expect(&publish, code, now);
        let receipt = receipt.map_err(|violation| SessionEnd::Protocol(violation, "too many unreleased messages"))?;
        self.push(publish, checked, receipt).await
    }

    fn check_publish(&self, publish: &Publish) -> Result<(), SessionEnd> {
        let violation = match publish {
            Publish { aliased: true, .. } => (ProtocolViolation::TopicAlias, "topic alias"),
            Publish { retain: true, .. } if self.version == Version::V5 => {
                (ProtocolViolation::Retain, "retained message")
            }
            Publish { topic, .. } if topic.is_empty() => (ProtocolViolation::Protocol, "empty topic"),
            _ => return Ok(()),
        };
        Err(SessionEnd::Protocol(violation.0, violation.1))
    }

    /// Passes a message to the pipeline, waiting while that is full unless the session ends.
    async fn push(
        &self,
        publish: Publish,
        checked: Result<usize, Refusal>,
        receipt: Option<Receipt>,
    ) -> Result<(), SessionEnd> {
        let received_at = (self.edge.clock)();
        let Allowed { organization, device, .. } = self.allowed;
        match checked {
            Ok(readings) => {
                let source = IngestionSource::Mqtt;
                let reading = RawReading { organization, device, received_at, source, payload: publish.payload };
                self.unless_ended(self.edge.pipeline.accept(reading, readings, receipt)).await
            }
            Err(why) => {
                let Publish { topic, payload, .. } = &publish;
                let (organization, device) = (Some(organization), Some(device));
                let refused = RefusedMessage { organization, device, topic, payload, received_at };
                self.unless_ended(self.edge.pipeline.refuse(&refused, &why, receipt)).await
            }
        }
    }

    async fn unless_ended(&self, push: impl Future<Output = Result<(), Closed>>) -> Result<(), SessionEnd> {
        tokio::select! {
            biased;
            taken = push => taken.map_err(|Closed| SessionEnd::Shutdown),
            end = self.handle.ended() => Err(end),
        }
    }

    fn on_packet(&mut self, frame: &Frame) -> Result<(), SessionEnd> {
        match packet::read_packet(frame, self.version).map_err(malformed)? {
            Packet::Ping => reply::pingresp(&mut self.out),
            Packet::Release { packet_id } => self.acks.release(packet_id),
            Packet::Subscribe { packet_id, filters } => self.on_subscribe(packet_id, &filters),
            Packet::Unsubscribe { packet_id, filters } => self.on_unsubscribe(packet_id, &filters),
            Packet::Disconnect { with_will } => return Err(SessionEnd::ClientDisconnect { with_will }),
            Packet::Unexpected => {
                return Err(SessionEnd::Protocol(ProtocolViolation::Protocol, "a packet out of place"));
            }
        }
        Ok(())
    }

    fn on_subscribe(&mut self, packet_id: u16, filters: &[(String, u8)]) {
        // MQTT 3.1.1 has one failure code (3.9.3); in MQTT 5 it is "not authorized".
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
            // Success, or "no subscription existed" (MQTT 5, 3.11.3).
            codes.push(if ends { 0x00 } else { 0x11 });
        }
        reply::unsuback(&mut self.out, self.version, packet_id, &codes);
    }

    /// Ends the session because of an oversize packet, with a dead letter if its topic has arrived.
    async fn on_oversize(&mut self, first: u8, header_bytes: usize, bytes: usize) -> Result<(), SessionEnd> {
        let end = SessionEnd::Protocol(ProtocolViolation::PacketTooLarge, "a packet above the maximum packet size");
        if first >> 4 != 3 {
            return Err(end);
        }
        let Some(PublishHead { topic, payload }) =
            publish::read_head(first, &self.buffer[header_bytes..], self.version)
        else {
            // The topic has not arrived completely: read more.
            self.buffer.reserve(READ_BYTES);
            return Ok(());
        };
        let Allowed { organization, device, .. } = self.allowed;
        let (organization, device) = (Some(organization), Some(device));
        let refused = RefusedMessage { organization, device, topic, payload, received_at: (self.edge.clock)() };
        let why = Refusal::Oversize { bytes, allowed: self.edge.limits.max_packet_bytes };
        self.unless_ended(self.edge.pipeline.refuse(&refused, &why, None)).await?;
        Err(end)
    }

    /// Writes the acknowledgements of stored messages, in order of receipt (4.6).
    fn write_due_acks(&mut self) -> Result<(), SessionEnd> {
        let Self { acks, out, edge, .. } = self;
        acks.write_due(out, &edge.meters.puback_seconds).map_err(|NotStored| SessionEnd::LogUnavailable)
    }

    /// Sends what is written, unless the device does not read it in time or the session ends.
    async fn flush(&mut self) -> Result<(), SessionEnd> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = timeout(self.edge.limits.write_timeout, async {
            // If the session ends during the write, `out` keeps the unsent rest, and the close continues from there.
            self.stream.write_all_buf(&mut self.out).await?;
            self.stream.flush().await
        });
        tokio::select! {
            biased;
            written = written => match written {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(SessionEnd::ConnectionLost),
                Err(_) => Err(SessionEnd::NotReading),
            },
            end = self.handle.ended() => Err(end),
        }
    }

    fn reserve_read_buffer(&mut self) {
        if self.buffer.is_empty() && self.buffer.capacity() > 2 * READ_BYTES {
            // A large packet must not occupy memory for the rest of the session.
            self.buffer = BytesMut::new();
        }
        if self.buffer.capacity() - self.buffer.len() < MIN_FREE_BYTES {
            self.buffer.reserve(READ_BYTES);
        }
    }

    fn check_timeouts(&mut self, now: Instant, was_reading: bool) -> Result<(), SessionEnd> {
        let paused = self.resume_at.is_some();
        self.resume_at = self.resume_at.filter(|resume_at| *resume_at > now);
        if !was_reading || paused {
            // Silence only counts while the device is read.
            self.heard_at = now;
        }
        if now.duration_since(self.heard_at) >= self.silence_limit {
            return Err(SessionEnd::Silent);
        }
        if (self.edge.clock)().timestamp() > self.allowed.expires_at.timestamp() {
            return Err(SessionEnd::Denied(Reason::Expired));
        }
        Ok(())
    }

    /// Returns the time of the next check: when the device may have been silent for too long, when its certificate
    /// expires, and at least every minute.
    fn next_timeout_check(&self, now: Instant) -> Instant {
        // `expires_at` has whole seconds, and its last second is still valid.
        let left =
            (self.allowed.expires_at - (self.edge.clock)()).to_std().unwrap_or_default() + Duration::from_secs(1);
        (self.heard_at + self.silence_limit)
            .min(now + left)
            .min(now + CLOCK_CHECK_INTERVAL)
            .max(now + Duration::from_millis(1))
    }
}

fn malformed(Malformed(what): Malformed) -> SessionEnd {
    SessionEnd::Protocol(ProtocolViolation::Malformed, what)
}
