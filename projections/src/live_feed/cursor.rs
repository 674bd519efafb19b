//! A subscriber's position: how far each of the feed's streams had been published. Processes interleave the streams
//! differently, so one number would not do; this cursor is valid in every process.

use std::fmt;
use std::str::FromStr;

use eventlog::Stream;
use eventlog::position::Positions;
use serde::{Deserialize, Serialize};

/// The feed's streams, in the order of a cursor's numbers.
pub(super) const STREAMS: [Stream; 6] = [
    Stream::TelemetryNormalized,
    Stream::TelemetryAsset,
    Stream::EventsThreshold,
    Stream::EsAlarm,
    Stream::EsActivity,
    Stream::Presence,
];

/// The sequence up to which each stream had been published. As text: six numbers separated by dots, opaque to
/// subscribers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Cursor(pub(super) [u64; 6]);

/// The text is not a cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position of the live feed: {0}")]
pub struct NotACursor(pub String);

impl Cursor {
    /// Returns the index of a stream among the numbers.
    pub(super) fn index(stream: Stream) -> Option<usize> {
        STREAMS.iter().position(|known| *known == stream)
    }

    pub(super) fn of(positions: &Positions) -> Self {
        Self(STREAMS.map(|stream| positions.sequence(stream)))
    }

    /// Returns the sequence in each stream of telemetry.
    pub fn telemetry(&self) -> [(Stream, u64); 2] {
        [(STREAMS[0], self.0[0]), (STREAMS[1], self.0[1])]
    }

    /// Moves one stream forward; never back.
    pub(super) fn advance(&mut self, index: usize, sequence: u64) {
        self.0[index] = sequence.max(self.0[index]);
    }

    /// Returns whether any stream is further along here than in `other`.
    pub(super) fn is_beyond(&self, other: &Cursor) -> bool {
        self.0.iter().zip(other.0).any(|(here, there)| *here > there)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first}")?;
        rest.iter().try_for_each(|number| write!(f, ".{number}"))
    }
}

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        // Only the beginning is quoted: the text comes from a client and may be long.
        let invalid = || NotACursor(text.chars().take(150).collect());
        let numbers: Result<Vec<u64>, _> = text.split('.').map(str::parse).collect();
        numbers.ok().and_then(|numbers| numbers.try_into().ok()).map(Self).ok_or_else(invalid)
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.to_string()
    }
}

impl TryFrom<String> for Cursor {
    type Error = NotACursor;

    fn try_from(text: String) -> Result<Self, NotACursor> {
        text.parse()
    }
}
