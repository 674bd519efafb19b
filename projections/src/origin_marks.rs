//! The highest origin applied from each source of a stream, so that values which a stage publishes again after a crash
//! are dropped. The marks are stored with the checkpoint.

use std::collections::BTreeMap;

use domain::telemetry::Origin;
use eventlog::{Message, Stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Marks by stream and subject tail (`<target partition>.<source>`). Origins ascend within one tail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OriginMarks(BTreeMap<Stream, BTreeMap<String, Origin>>);

impl OriginMarks {
    /// Returns the last origin applied from a message's source; values at or below it are repetitions.
    pub fn last(&self, message: &Message) -> Option<Origin> {
        self.0.get(&message.stream)?.get(message.subject_tail()).copied()
    }

    /// Returns whether a value of this origin is new, given the mark that `last` returned.
    pub fn is_new(last: Option<Origin>, origin: Origin) -> bool {
        last.is_none_or(|last| origin > last)
    }

    /// Raises the mark of a message's source to an origin; never lowers it.
    pub fn raise(&mut self, message: &Message, origin: Origin) {
        let marks = self.0.entry(message.stream).or_default();
        match marks.get_mut(message.subject_tail()) {
            Some(mark) => *mark = origin.max(*mark),
            None => {
                marks.insert(message.subject_tail().to_owned(), origin);
            }
        }
    }

    /// Removes all marks.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Writes the marks of one stream as `{"3.1": [sequence, ordinal]}`.
    pub fn to_json(&self, stream: Stream) -> Value {
        let Some(marks) = self.0.get(&stream) else { return json!({}) };
        marks.iter().map(|(tail, origin)| (tail.clone(), json!([origin.sequence, origin.ordinal]))).collect()
    }

    /// Reads the marks of one stream from that JSON.
    pub fn read_json(&mut self, stream: Stream, json: Value) -> Result<(), serde_json::Error> {
        let read: BTreeMap<String, (u64, u32)> = serde_json::from_value(json)?;
        let marks = read.into_iter().map(|(tail, (sequence, ordinal))| (tail, Origin { sequence, ordinal }));
        self.0.insert(stream, marks.collect());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use chrono::DateTime;
    use eventlog::Headers;

    fn message(tail: &str) -> Message {
        Message {
            stream: Stream::TelemetryNormalized,
            subject: format!("telemetry.normalized.v1.{tail}"),
            sequence: 1,
            published_at: DateTime::UNIX_EPOCH,
            headers: Headers::new(),
            payload: Bytes::new(),
        }
    }

    fn origin(sequence: u64, ordinal: u32) -> Origin {
        Origin { sequence, ordinal }
    }

    #[test]
    fn a_value_is_new_only_above_the_mark_of_its_own_source() {
        let mut marks = OriginMarks::default();
        marks.raise(&message("3.1"), origin(7, 2));
        let last = marks.last(&message("3.1"));
        assert!(!OriginMarks::is_new(last, origin(7, 2)));
        assert!(!OriginMarks::is_new(last, origin(6, 9)));
        assert!(OriginMarks::is_new(last, origin(7, 3)));
        assert!(OriginMarks::is_new(marks.last(&message("3.2")), origin(1, 0)));
    }

    #[test]
    fn a_mark_never_moves_back() {
        let mut marks = OriginMarks::default();
        marks.raise(&message("3.1"), origin(7, 2));
        marks.raise(&message("3.1"), origin(5, 0));
        assert_eq!(marks.last(&message("3.1")), Some(origin(7, 2)));
    }

    #[test]
    fn marks_are_read_back_from_their_json() {
        let mut marks = OriginMarks::default();
        marks.raise(&message("3.1"), origin(7, 2));
        let json = marks.to_json(Stream::TelemetryNormalized);
        assert_eq!(json, json!({"3.1": [7, 2]}));
        let mut read = OriginMarks::default();
        read.read_json(Stream::TelemetryNormalized, json).unwrap();
        assert_eq!(read, marks);
    }
}
