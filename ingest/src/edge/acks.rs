//! The acknowledgements that a session owes its device, in order of receipt (4.6): PUBACK (QoS 1) and PUBREC (QoS 2)
//! once the message is on disk, and PUBCOMP for each PUBREL. A QoS 2 message whose identifier arrives again before its
//! PUBREL is acknowledged again and not stored again (4.3.3).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use metrics::Histogram;

use super::packet::Version;
use super::publish::Publish;
use super::reply;
use super::session_end::ProtocolViolation;
use crate::pipeline::mailbox::{Mailbox, Receipt};
use crate::pipeline::pending_acks::{NotStored, PendingAcks};

/// The reason code of an MQTT 5 PUBCOMP whose packet identifier is unknown (3.7.2.1).
const UNKNOWN_IDENTIFIER: u8 = 0x92;

/// The acknowledgements of one session.
pub struct Acks {
    pending: PendingAcks<Ack>,
    /// The packet identifiers of QoS 2 messages whose PUBREL has not arrived.
    unreleased: HashSet<u16>,
    version: Version,
    receive_maximum: usize,
}

struct Ack {
    kind: reply::Ack,
    packet_id: u16,
    code: u8,
    arrived: Instant,
}

impl Acks {
    /// Starts empty; outcomes arrive at the mailbox.
    pub fn new(mailbox: Arc<Mailbox>, version: Version, receive_maximum: u16) -> Self {
        let (pending, receive_maximum) = (PendingAcks::new(mailbox), usize::from(receive_maximum));
        Self { pending, unreleased: HashSet::new(), version, receive_maximum }
    }

    /// Returns the number of acknowledgements that have not been written.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Tells whether every acknowledgement has been written.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Waits until an acknowledgement may be due. Call [`Self::write_due`] before waiting again.
    pub async fn notified(&self) {
        self.pending.notified().await;
    }

    /// Acknowledges a QoS 2 message that arrived before; returns false if this one is new.
    pub fn repeats(&mut self, publish: &Publish, arrived: Instant) -> bool {
        let repeats = publish.qos == 2 && self.unreleased.contains(&publish.packet_id);
        if repeats {
            // Behind the first one's acknowledgement, so that it is on disk by then as well.
            self.add(reply::Ack::Pubrec, publish.packet_id, 0, arrived).settle(true);
        }
        repeats
    }

    /// Adds the acknowledgement of a new message, with the reason code if it is refused; the receipt settles it. QoS 0
    /// has none.
    pub fn expect(
        &mut self,
        publish: &Publish,
        code: u8,
        arrived: Instant,
    ) -> Result<Option<Receipt>, ProtocolViolation> {
        let kind = match publish.qos {
            0 => return Ok(None),
            1 => reply::Ack::Puback,
            _ => reply::Ack::Pubrec,
        };
        // An MQTT 5 PUBREC with an error ends the exchange: no PUBREL follows, and the identifier is free (4.3.3). MQTT
        // 3.1.1 has no reason codes, so that a PUBREL always follows.
        if publish.qos == 2 && (code == 0 || self.version == Version::V3) {
            if self.version == Version::V5 && self.unreleased.len() >= self.receive_maximum {
                return Err(ProtocolViolation::ReceiveMaximum);
            }
            self.unreleased.insert(publish.packet_id);
        }
        Ok(Some(self.add(kind, publish.packet_id, code, arrived)))
    }

    /// Ends the exchange of a QoS 2 message after its PUBREL.
    pub fn release(&mut self, packet_id: u16) {
        let known = self.unreleased.remove(&packet_id) || self.version == Version::V3;
        let code = if known { 0 } else { UNKNOWN_IDENTIFIER };
        // In order with the others: a PUBREL sent too early is answered when its message is on disk.
        self.add(reply::Ack::Pubcomp, packet_id, code, Instant::now()).settle(true);
    }

    /// Writes the acknowledgements that are due, in order, and records how long each message took to be stored.
    pub fn write_due(&mut self, out: &mut BytesMut, stored_after: &Histogram) -> Result<(), NotStored> {
        let version = self.version;
        self.pending.take_stored(|Ack { kind, packet_id, code, arrived }| {
            if kind != reply::Ack::Pubcomp {
                stored_after.record(arrived.elapsed().as_secs_f64());
            }
            reply::acknowledge(out, kind, version, packet_id, code);
        })
    }

    fn add(&mut self, kind: reply::Ack, packet_id: u16, code: u8, arrived: Instant) -> Receipt {
        self.pending.add(Ack { kind, packet_id, code, arrived })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn acks(version: Version) -> Acks {
        Acks::new(Arc::default(), version, 2)
    }

    fn publish(qos: u8, packet_id: u16) -> Publish {
        Publish { qos, retain: false, packet_id, topic: Bytes::new(), aliased: false, payload: Bytes::new() }
    }

    fn written(acks: &mut Acks) -> Vec<u8> {
        let mut out = BytesMut::new();
        acks.write_due(&mut out, &Histogram::noop()).unwrap();
        out.to_vec()
    }

    fn expect(acks: &mut Acks, qos: u8, packet_id: u16, code: u8) -> Receipt {
        acks.expect(&publish(qos, packet_id), code, Instant::now()).unwrap().unwrap()
    }

    #[test]
    fn a_qos_2_message_is_new_once_until_its_release() {
        let (mut acks, now) = (acks(Version::V3), Instant::now());
        assert!(!acks.repeats(&publish(2, 7), now));
        let receipt = expect(&mut acks, 2, 7, 0);
        // Repeated and released before it is on disk: nothing is acknowledged yet.
        assert!(acks.repeats(&publish(2, 7), now));
        acks.release(7);
        assert!(written(&mut acks).is_empty());
        receipt.settle(true);
        assert_eq!(written(&mut acks), [0x50, 2, 0, 7, 0x50, 2, 0, 7, 0x70, 2, 0, 7]);
        assert!(!acks.repeats(&publish(2, 7), now));
    }

    #[test]
    fn the_same_identifier_of_a_qos_1_message_is_no_repetition() {
        let mut acks = acks(Version::V3);
        expect(&mut acks, 2, 7, 0).settle(true);
        assert!(!acks.repeats(&publish(1, 7), Instant::now()));
        assert!(matches!(acks.expect(&publish(0, 0), 0, Instant::now()), Ok(None)));
    }

    #[test]
    fn a_refused_qos_2_message_of_mqtt_5_keeps_no_identifier() {
        let mut five = acks(Version::V5);
        expect(&mut five, 2, 7, 0x99).settle(true);
        assert_eq!(written(&mut five), [0x50, 3, 0, 7, 0x99]);
        assert!(!five.repeats(&publish(2, 7), Instant::now()));
        five.release(7);
        assert_eq!(written(&mut five), [0x70, 3, 0, 7, UNKNOWN_IDENTIFIER]);
        let mut three = acks(Version::V3);
        expect(&mut three, 2, 7, 0x99).settle(true);
        assert!(three.repeats(&publish(2, 7), Instant::now()));
        assert_eq!(written(&mut three), [0x50, 2, 0, 7, 0x50, 2, 0, 7]);
    }

    #[test]
    fn an_mqtt_5_client_may_leave_no_more_messages_open_than_announced() {
        let mut five = acks(Version::V5);
        (1..=2).for_each(|id| expect(&mut five, 2, id, 0).settle(true));
        let third = five.expect(&publish(2, 3), 0, Instant::now()).unwrap_err();
        assert_eq!(third, ProtocolViolation::ReceiveMaximum);
        five.release(1);
        expect(&mut five, 2, 3, 0);
    }
}
