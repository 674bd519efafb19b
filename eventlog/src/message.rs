//! A message as read from the log, and the headers that messages carry.

use async_nats::HeaderMap;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::streams::Stream;

/// The headers of a message. Names are ASCII without colons; line breaks in values become spaces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Headers(HeaderMap);

impl Headers {
    /// Returns empty headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns these headers with one more entry, replacing any of the same name.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets one entry, replacing any of the same name.
    pub fn set(&mut self, name: &'static str, value: impl AsRef<str>) {
        let value = value.as_ref();
        if value.contains(['\r', '\n']) {
            self.0.insert(name, value.replace(['\r', '\n'], " "));
        } else {
            self.0.insert(name, value);
        }
    }

    /// Returns the last value of a name.
    pub fn get(&self, name: &'static str) -> Option<&str> {
        self.0.get_last(name).map(|value| value.as_str())
    }

    /// Lists all entries as name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(name, values)| {
            let name: &str = name.as_ref();
            values.iter().map(move |value| (name, value.as_str()))
        })
    }

    /// Returns whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn from_map(map: HeaderMap) -> Self {
        Self(map)
    }

    pub(crate) fn into_map(self) -> HeaderMap {
        self.0
    }
}

/// One stored message of a stream.
#[derive(Clone, Debug)]
pub struct Message {
    /// The stream that stores it.
    pub stream: Stream,
    /// Its subject without the installation's prefix, such as `es.<organization>.device.<id>`.
    pub subject: String,
    /// Its stream sequence, from 1.
    pub sequence: u64,
    /// When the server stored it.
    pub published_at: DateTime<Utc>,
    /// Its headers.
    pub headers: Headers,
    /// Its payload, exactly as published.
    pub payload: Bytes,
}

impl Message {
    /// Returns the nth token of the subject, counted from 0; `es.acme.device.7` has `acme` at 1.
    pub fn subject_token(&self, n: usize) -> Option<&str> {
        self.subject.split('.').nth(n)
    }

    /// Returns the part of the subject after the stream's subject root: `acme.device.7` for `es.acme.device.7`.
    pub fn subject_tail(&self) -> &str {
        let tail = self.subject.strip_prefix(self.stream.subject_root()).unwrap_or(&self.subject);
        tail.strip_prefix('.').unwrap_or(tail)
    }

    /// Returns the last value of a header.
    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.get(name)
    }

    /// Returns its approximate size in memory, in bytes, for limits.
    pub fn size(&self) -> usize {
        self.payload.len() + self.subject.len() + 64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_can_be_read_by_token_and_by_tail() {
        let message = Message {
            stream: Stream::TelemetryAsset,
            subject: "telemetry.asset.v1.3.11".into(),
            sequence: 1,
            published_at: DateTime::UNIX_EPOCH,
            headers: Headers::new().with("Argusiq-Kind", "a\r\nb"),
            payload: Bytes::new(),
        };
        assert_eq!(message.subject_token(3), Some("3"));
        assert_eq!(message.subject_token(5), None);
        assert_eq!(message.subject_tail(), "3.11");
        assert_eq!(message.header("Argusiq-Kind"), Some("a  b"));
        assert_eq!(message.header("Absent"), None);
    }
}
