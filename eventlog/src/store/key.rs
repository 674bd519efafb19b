//! The key of one aggregate and the names derived from it: its subject and its snapshot's key.

use super::error::Error;
use crate::streams::Stream;

/// Maximum length of an organisation, aggregate type or id, in bytes; keeps subjects far below the server's 4 KiB
/// protocol line.
const MAX_NAME_BYTES: usize = 128;

/// Identifies one aggregate by organisation, type and id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AggregateKey {
    stream: Stream,
    subject: String,
    organization_ends: usize,
    type_ends: usize,
}

impl AggregateKey {
    /// Builds a key; rejects parts that would change the structure of a subject (dots, wildcards, blanks, empty).
    pub fn new(organization: &str, aggregate_type: &str, id: &str) -> Result<Self, Error> {
        for (part, value) in [("organization", organization), ("aggregate type", aggregate_type), ("aggregate id", id)]
        {
            check(part, value)?;
        }
        let stream = Stream::for_aggregate(aggregate_type);
        let subject = format!("{}.{organization}.{aggregate_type}.{id}", stream.subject_root());
        let type_ends = subject.len() - id.len() - 1;
        let organization_ends = type_ends - aggregate_type.len() - 1;
        Ok(Self { stream, subject, organization_ends, type_ends })
    }

    /// Builds a key from cqrs-es's `<organization>/<id>`.
    pub fn of_path(aggregate_type: &str, path: &str) -> Result<Self, Error> {
        let (organization, id) =
            path.split_once('/').ok_or_else(|| Error::Name { part: "<organization>/<id>", value: path.to_owned() })?;
        Self::new(organization, aggregate_type, id)
    }

    /// Returns the stream that stores this aggregate's events.
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// Returns the subject of this aggregate's events, without the installation's prefix.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the organisation's id.
    pub fn organization(&self) -> &str {
        &self.subject[self.stream.subject_root().len() + 1..self.organization_ends]
    }

    /// Returns the aggregate's id within its organisation and type.
    pub fn id(&self) -> &str {
        &self.subject[self.type_ends + 1..]
    }

    /// Returns cqrs-es's id of this aggregate: `<organization>/<id>`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.organization(), self.id())
    }

    /// Returns the subject without the stream's subject root, `<organization>.<type>.<id>`; also the snapshot's key.
    pub fn tail(&self) -> &str {
        &self.subject[self.stream.subject_root().len() + 1..]
    }
}

fn check(part: &'static str, value: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=');
    if value.is_empty() || value.len() > MAX_NAME_BYTES || !value.bytes().all(allowed) {
        return Err(Error::Name { part, value: value.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_returns_its_parts() {
        let key = AggregateKey::of_path("device", "acme/d-1").unwrap();
        assert_eq!(key.subject(), "es.acme.device.d-1");
        assert_eq!(key.tail(), "acme.device.d-1");
        assert_eq!((key.organization(), key.id(), key.path()), ("acme", "d-1", "acme/d-1".to_owned()));
    }

    #[test]
    fn alarms_and_activities_have_their_own_streams() {
        assert_eq!(AggregateKey::new("acme", "alarm", "1").unwrap().subject(), "es_alarm.acme.alarm.1");
        assert_eq!(AggregateKey::new("acme", "activity", "1").unwrap().subject(), "es_activity.acme.activity.1");
    }

    #[test]
    fn names_that_would_change_the_subject_are_refused() {
        for id in ["", "a.b", "*", ">", "a b", "a/b", "é", &"x".repeat(129)] {
            assert!(
                matches!(AggregateKey::new("acme", "device", id), Err(Error::Name { part: "aggregate id", .. })),
                "{id}"
            );
        }
        assert!(matches!(AggregateKey::new("a.b", "device", "1"), Err(Error::Name { part: "organization", .. })));
        assert!(matches!(AggregateKey::of_path("device", "acme"), Err(Error::Name { .. })));
    }
}
