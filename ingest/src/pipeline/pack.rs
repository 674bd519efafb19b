//! Encodes the items of a lane: raw readings as one binary pack, dead letters as one JSON array. Settles their receipts
//! afterwards.

use std::sync::Arc;

use domain::telemetry::{RawReading, encode_pack};
use eventlog::lane::Pack;
use eventlog::writer;
use serde::{Serialize, Serializer};

use super::mailbox::Receipt;
use crate::meters::PackMeters;

/// An item on its way into the log, with its receipt.
#[derive(Debug)]
pub struct LaneItem<T> {
    /// What is written.
    pub content: T,
    /// The receipt to settle, if a sender waits for an acknowledgement.
    pub receipt: Option<Receipt>,
}

/// Returns the encoder of raw packs.
pub fn encode_readings() -> impl FnMut(&[LaneItem<RawReading>]) -> Pack {
    let meters = PackMeters::new("raw");
    move |items| {
        meters.packed(items.len());
        // Writing to memory does not fail.
        let payload = encode_pack(&BorrowedRawPack { readings: Readings(items) }).unwrap_or_default().into();
        Pack { payload, ..Pack::default() }
    }
}

/// Returns the encoder of dead letters, which are serialised already.
pub fn encode_dead_letters() -> impl FnMut(&[LaneItem<String>]) -> Pack {
    let meters = PackMeters::new("dead_letters");
    move |items| {
        meters.packed(items.len());
        let letters: Vec<&str> = items.iter().map(|item| item.content.as_str()).collect();
        Pack { payload: format!("[{}]", letters.join(",")).into(), ..Pack::default() }
    }
}

/// Settles the receipts of a pack.
pub fn settle<T>(items: Vec<LaneItem<T>>, written: Result<u64, Arc<writer::Error>>) {
    let stored = written.is_ok();
    for receipt in items.into_iter().filter_map(|item| item.receipt) {
        receipt.settle(stored);
    }
}

/// A `RawPack` of borrowed readings: serialises to the same bytes without copying them.
#[derive(Serialize)]
struct BorrowedRawPack<'a> {
    readings: Readings<'a>,
}

struct Readings<'a>(&'a [LaneItem<RawReading>]);

impl Serialize for Readings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|item| &item.content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use domain::ids::{DeviceId, OrganizationId};
    use domain::telemetry::{DeadLetter, IngestionSource, RawPack, decode_pack};
    use uuid::Uuid;

    fn reading(number: u128) -> RawReading {
        RawReading {
            organization: OrganizationId(Uuid::from_u128(7)),
            device: DeviceId(Uuid::from_u128(number)),
            received_at: DateTime::from_timestamp_micros(1_700_000_000_000_000).unwrap(),
            source: IngestionSource::Mqtt,
            payload: format!("{{\"n\":{number}}}").into(),
        }
    }

    #[test]
    fn a_pack_of_borrowed_readings_equals_a_raw_pack() {
        let items: Vec<_> = (0..3).map(|number| LaneItem { content: reading(number), receipt: None }).collect();
        let packed = encode_readings()(&items);
        let expected = RawPack { readings: (0..3).map(reading).collect() };
        assert_eq!(packed.payload, encode_pack(&expected).unwrap());
        assert_eq!(decode_pack::<RawPack>(&packed.payload).unwrap(), expected);
    }

    #[test]
    fn dead_letters_are_encoded_as_a_json_array() {
        let letter = |reason: &str| DeadLetter {
            stage: "ingest".into(),
            reason: reason.into(),
            detail: String::new(),
            subject: "t".into(),
            organization: None,
            device: None,
            received_at: DateTime::UNIX_EPOCH,
            payload: "\u{1}\"".into(),
        };
        let sent = [letter("a"), letter("b")];
        let items: Vec<_> =
            sent.iter().map(|l| LaneItem { content: serde_json::to_string(l).unwrap(), receipt: None }).collect();
        let read: Vec<DeadLetter> = serde_json::from_slice(&encode_dead_letters()(&items).payload).unwrap();
        assert_eq!(read, sent);
    }
}
