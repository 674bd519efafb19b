//! Read positions: the last sequence per stream, plus what identifies the stream and the message, so that a checkpoint
//! of another stream, or of a stream restored from an older copy, is detected. Consumers store them.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::streams::Stream;

/// A position in one stream: everything up to and including `sequence` has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The last sequence read; 0 means that nothing was read and the next sequence must be 1.
    pub sequence: u64,
    /// When the stream was created, in whole microseconds; distinguishes streams of the same name. Not compared when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<DateTime<Utc>>,
    /// The [`fingerprint`] of the message at `sequence`. Absent when no message was read there; then it is not
    /// compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

impl Position {
    /// Returns a position with a sequence only; neither the stream's incarnation nor a hash will be compared.
    pub fn at(sequence: u64) -> Self {
        Self { sequence, incarnation: None, hash: None }
    }
}

/// Positions per stream. A stream without one has no checkpoint: reading begins with the first message it stores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Positions(pub BTreeMap<Stream, Position>);

impl Positions {
    /// Returns empty positions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns positions of the given streams, with sequences only.
    pub fn at(sequences: impl IntoIterator<Item = (Stream, u64)>) -> Self {
        Self(sequences.into_iter().map(|(stream, sequence)| (stream, Position::at(sequence))).collect())
    }

    /// Returns the position in a stream.
    pub fn get(&self, stream: Stream) -> Option<&Position> {
        self.0.get(&stream)
    }

    /// Returns the last sequence read of a stream, 0 without a checkpoint.
    pub fn sequence(&self, stream: Stream) -> u64 {
        self.0.get(&stream).map_or(0, |position| position.sequence)
    }

    /// Sets the position in a stream.
    pub fn set(&mut self, stream: Stream, position: Position) {
        self.0.insert(stream, position);
    }

    /// Lists the streams and their positions in the order of [`Stream`].
    pub fn iter(&self) -> impl Iterator<Item = (Stream, &Position)> {
        self.0.iter().map(|(stream, position)| (*stream, position))
    }

    /// Returns whether every position of `targets` is reached.
    pub fn reached(&self, targets: &Positions) -> bool {
        targets.iter().all(|(stream, target)| self.sequence(stream) >= target.sequence)
    }
}

/// Returns the first 16 bytes of a payload's SHA-256 as 32 lower-case hex digits.
pub fn fingerprint(payload: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, payload);
    digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Truncates to whole microseconds, the precision that databases and JSON preserve.
pub(crate) fn whole_micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_a_round_trip_through_json() {
        let mut positions = Positions::at([(Stream::Es, 7)]);
        let created = "2026-11-23T10:00:00.123456789Z".parse().unwrap();
        positions.set(
            Stream::TelemetryRaw,
            Position { sequence: 3, incarnation: Some(whole_micros(created)), hash: Some(fingerprint(b"x")) },
        );
        let json = serde_json::to_string(&positions).unwrap();
        assert!(json.starts_with(r#"{"ES":{"sequence":7}"#), "{json}");
        assert_eq!(serde_json::from_str::<Positions>(&json).unwrap(), positions);
    }

    #[test]
    fn targets_are_reached_when_no_stream_is_behind() {
        let read = Positions::at([(Stream::Es, 7), (Stream::EventsThreshold, 2)]);
        assert!(read.reached(&Positions::at([(Stream::Es, 7)])));
        assert!(!read.reached(&Positions::at([(Stream::Es, 7), (Stream::EventsThreshold, 3)])));
        assert!(!read.reached(&Positions::at([(Stream::Presence, 1)])));
    }
}
