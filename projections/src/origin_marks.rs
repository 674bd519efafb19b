//! How far each source of a stream was taken, so that values a stage publishes again after a crash are dropped. What
//! does not live here: where marks are stored (with the checkpoint).

use std::collections::BTreeMap;

use domain::telemetry::Origin;
use eventlog::{Message, Stream};
use serde_json::{Value, json};

/// OriginMarks by stream and by the tail of the subject (`<target partition>.<source>`); origins only grow within one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OriginMarks(BTreeMap<Stream, BTreeMap<String, Origin>>);

impl OriginMarks {
    /// Returns the last origin taken of a message's source; everything at or below it is a repetition.
    pub fn last(&self, message: &Message) -> Option<Origin> {
        self.0.get(&message.stream)?.get(message.subject_tail()).copied()
    }

    /// Tells whether a value of this origin is new, by a mark that `last` answered.
    pub fn is_new(last: Option<Origin>, origin: Origin) -> bool {
        last.is_none_or(|last| origin > last)
    }

    /// Moves the mark of a message's source up to an origin; never back.
    pub fn raise(&mut self, message: &Message, origin: Origin) {
        let marks = self.0.entry(message.stream).or_default();
        match marks.get_mut(message.subject_tail()) {
            Some(mark) => *mark = origin.max(*mark),
            None => {
                marks.insert(message.subject_tail().to_owned(), origin);
            }
        }
    }

    /// Forgets all marks.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Writes the marks of one stream as `{"3.1": [sequence, ordinal]}`.
    pub fn to_json(&self, stream: Stream) -> Value {
        let Some(marks) = self.0.get(&stream) else { return json!({}) };
        marks.iter().map(|(tail, origin)| (tail.clone(), json!([origin.sequence, origin.ordinal]))).collect()
    }

    /// Reads the marks of one stream back.
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
    fn a_value_is_new_above_the_mark_of_its_own_source_only() {
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
    fn marks_survive_json() {
        let mut marks = OriginMarks::default();
        marks.raise(&message("3.1"), origin(7, 2));
        let json = marks.to_json(Stream::TelemetryNormalized);
        assert_eq!(json, json!({"3.1": [7, 2]}));
        let mut read = OriginMarks::default();
        read.read_json(Stream::TelemetryNormalized, json).unwrap();
        assert_eq!(read, marks);
    }
}
