//! The text of a seal: parsed, and formatted as it is signed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use eventlog::Stream;
use eventlog::store::Digest;

/// First line of every seal: the format and its version.
const FIRST_LINE: &str = "argusiq seal 1";

/// The statement that the root authority signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The installation id.
    pub installation: String,
    /// When the seal was created.
    pub sealed_at: DateTime<Utc>,
    /// Last sealed sequence of each domain event stream.
    pub positions: BTreeMap<Stream, u64>,
    /// Number of aggregates.
    pub aggregates: usize,
    /// Merkle root (RFC 6962) over the ends of all hash chains, sorted by subject.
    pub root: Digest,
}

/// Why a text is not a seal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealSyntaxError {
    /// The first line is missing or names another version.
    #[error("the first line is not \"{FIRST_LINE}\"")]
    FirstLine,
    /// A line has no value.
    #[error("the line {0:?} has no value")]
    NoValue(String),
    /// A line names an unknown stream.
    #[error("unknown stream {0:?}")]
    Stream(String),
    /// A line is missing.
    #[error("the line \"{0}\" is missing")]
    Missing(&'static str),
    /// A value is malformed.
    #[error("the value of \"{0}\" is malformed")]
    Malformed(&'static str),
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        writeln!(f, "installation {}", self.installation)?;
        writeln!(f, "sealed-at {}", self.sealed_at.to_rfc3339_opts(SecondsFormat::Secs, true))?;
        for (stream, position) in &self.positions {
            writeln!(f, "position {} {position}", stream.name())?;
        }
        writeln!(f, "aggregates {}", self.aggregates)?;
        writeln!(f, "root {}", self.root)
    }
}

impl FromStr for Seal {
    type Err = SealSyntaxError;

    fn from_str(text: &str) -> Result<Self, SealSyntaxError> {
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err(SealSyntaxError::FirstLine);
        }
        let (mut values, mut positions) = (BTreeMap::new(), BTreeMap::new());
        for line in lines {
            let (key, value) = line.split_once(' ').ok_or_else(|| SealSyntaxError::NoValue(line.to_owned()))?;
            if key == "position" {
                let (stream, position) = parse_position(value)?;
                positions.insert(stream, position);
            } else {
                values.insert(key, value);
            }
        }
        let value = |key: &'static str| values.get(key).copied().ok_or(SealSyntaxError::Missing(key));
        Ok(Self {
            installation: value("installation")?.to_owned(),
            sealed_at: parse_time(value("sealed-at")?)?,
            positions,
            aggregates: value("aggregates")?.parse().map_err(|_| SealSyntaxError::Malformed("aggregates"))?,
            root: value("root")?.parse().map_err(|_| SealSyntaxError::Malformed("root"))?,
        })
    }
}

/// Parses `<stream> <sequence>`.
fn parse_position(value: &str) -> Result<(Stream, u64), SealSyntaxError> {
    let (name, position) = value.split_once(' ').ok_or(SealSyntaxError::Malformed("position"))?;
    let stream = Stream::DOMAIN.into_iter().find(|stream| stream.name() == name);
    let stream = stream.ok_or_else(|| SealSyntaxError::Stream(name.to_owned()))?;
    Ok((stream, position.parse().map_err(|_| SealSyntaxError::Malformed("position"))?))
}

fn parse_time(value: &str) -> Result<DateTime<Utc>, SealSyntaxError> {
    let time = DateTime::parse_from_rfc3339(value).map_err(|_| SealSyntaxError::Malformed("sealed-at"))?;
    Ok(time.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal {
            installation: "here".to_owned(),
            sealed_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            positions: BTreeMap::from([(Stream::Es, 12), (Stream::EsAlarm, 0)]),
            aggregates: 3,
            root: Digest::of(b"x"),
        }
    }

    #[test]
    fn a_formatted_seal_parses_to_itself() {
        let text = seal().to_string();
        assert_eq!(text.parse(), Ok(seal()));
        assert!(text.starts_with("argusiq seal 1\ninstallation here\nsealed-at 2026-09-21T"), "{text}");
    }

    #[test]
    fn a_seal_without_one_of_its_lines_is_refused() {
        let text = seal().to_string();
        let without = |key: &str| text.lines().filter(|line| !line.starts_with(key)).collect::<Vec<_>>().join("\n");
        assert_eq!(without("argusiq").parse::<Seal>(), Err(SealSyntaxError::FirstLine));
        for key in ["installation", "sealed-at", "aggregates", "root"] {
            assert_eq!(without(key).parse::<Seal>(), Err(SealSyntaxError::Missing(key)));
        }
    }

    #[test]
    fn a_malformed_value_is_refused_by_the_name_of_its_line() {
        let text = seal().to_string();
        let with = |from: &str, to: &str| text.replace(from, to).parse::<Seal>().unwrap_err();
        assert_eq!(with("position ES 12", "position OTHER 12"), SealSyntaxError::Stream("OTHER".to_owned()));
        assert_eq!(with("position ES 12", "position ES twelve"), SealSyntaxError::Malformed("position"));
        assert_eq!(with("position ES 12", "position ES"), SealSyntaxError::Malformed("position"));
        assert_eq!(with("aggregates 3", "aggregates three"), SealSyntaxError::Malformed("aggregates"));
        assert_eq!(with("sealed-at 2026", "sealed-at MMXXVI"), SealSyntaxError::Malformed("sealed-at"));
        assert_eq!(with("root ", "root x"), SealSyntaxError::Malformed("root"));
        assert_eq!(with("aggregates 3", "aggregates"), SealSyntaxError::NoValue("aggregates".to_owned()));
    }
}
