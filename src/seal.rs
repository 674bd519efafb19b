//! A seal: what the log said at a time, in a few lines that the root signs, and beside it the ends of all chains. Kept
//! somewhere else, it shows later that messages or whole aggregates are gone. What does not live here: reading the log.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use eventlog::Stream;
use eventlog::audit::Audit;
use eventlog::store::Digest;

const FIRST_LINE: &str = "argusiq seal 1";

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The installation.
    pub installation: String,
    /// When it was made.
    pub sealed_at: DateTime<Utc>,
    /// Where the streams of domain events ended.
    pub positions: BTreeMap<Stream, u64>,
    /// How many aggregates there were.
    pub aggregates: usize,
    /// The Merkle root (RFC 6962) over the ends of their chains, sorted by subject.
    pub root: Digest,
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
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            bail!("it does not begin with \"{FIRST_LINE}\"");
        }
        let (mut words, mut positions) = (BTreeMap::new(), BTreeMap::new());
        for line in lines {
            let (word, rest) = line.split_once(' ').with_context(|| format!("{line:?} says nothing"))?;
            match rest.split_once(' ').filter(|_| word == "position") {
                Some((stream, position)) => {
                    let known = Stream::DOMAIN.into_iter().find(|known| known.name() == stream);
                    positions.insert(known.with_context(|| format!("there is no {stream}"))?, position.parse()?);
                }
                None => drop(words.insert(word, rest)),
            }
        }
        let said = |word: &str| words.get(word).copied().with_context(|| format!("it says nothing of {word}"));
        Ok(Self {
            installation: said("installation")?.to_owned(),
            sealed_at: DateTime::parse_from_rfc3339(said("sealed-at")?)?.to_utc(),
            positions,
            aggregates: said("aggregates")?.parse()?,
            root: said("root")?.parse()?,
        })
    }
}

/// The three files of a seal.
pub struct Files {
    /// The lines.
    pub seal: PathBuf,
    /// The signature of the lines, DER.
    pub signature: PathBuf,
    /// The ends of all chains: subject, version and digest.
    pub ends: PathBuf,
}

impl Files {
    /// The files that belong to the one with the lines.
    pub fn of(seal: &Path) -> Self {
        Self { seal: seal.to_owned(), signature: seal.with_extension("sig"), ends: seal.with_extension("ends") }
    }

    /// Where a seal of this time goes.
    pub fn at(folder: &Path, sealed_at: DateTime<Utc>) -> Self {
        Self::of(&folder.join(format!("{}.seal", sealed_at.format("%Y%m%dT%H%M%SZ"))))
    }
}

/// Writes the ends of all chains, a line each.
pub fn write_ends(audit: &Audit) -> String {
    audit.ends.iter().map(|(subject, end)| format!("{subject} {} {}\n", end.version, end.hash)).collect()
}

/// Compares the sealed ends with those found now: a line for each aggregate that differs.
pub fn differences(sealed: &str, now: &Audit) -> Vec<String> {
    let sealed: BTreeMap<&str, &str> = sealed.lines().filter_map(|line| line.split_once(' ')).collect();
    let mut differences = Vec::new();
    for (subject, was) in &sealed {
        let is = now.ends.get(*subject).map(|end| format!("{} {}", end.version, end.hash));
        match is {
            None => differences.push(format!("{subject} is gone")),
            Some(is) if is != *was => differences.push(format!("{subject} ends with {is}, not with {was}")),
            Some(_) => {}
        }
    }
    let added = now.ends.keys().filter(|subject| !sealed.contains_key(subject.as_str()));
    differences.extend(added.map(|subject| format!("{subject} was not there")));
    differences
}

#[cfg(test)]
mod tests {
    use eventlog::audit::ChainEnd;

    use super::*;

    #[test]
    fn a_seal_reads_as_it_was_written_and_half_a_one_is_refused() {
        let seal = Seal {
            installation: "here".to_owned(),
            sealed_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            positions: BTreeMap::from([(Stream::Es, 12), (Stream::EsAlarm, 0)]),
            aggregates: 3,
            root: Digest::of(b"x"),
        };
        let text = seal.to_string();
        assert_eq!(text.parse::<Seal>().unwrap(), seal);
        assert!(text.starts_with("argusiq seal 1\ninstallation here\nsealed-at 2026-09-21T"), "{text}");
        let without = |word: &str| text.lines().filter(|line| !line.starts_with(word)).collect::<Vec<_>>().join("\n");
        for word in ["argusiq", "installation", "sealed-at", "aggregates", "root"] {
            assert!(without(word).parse::<Seal>().is_err(), "{word}");
        }
        assert!(text.replace("ES ", "OTHER ").parse::<Seal>().is_err());
    }

    #[test]
    fn each_aggregate_that_differs_is_named() {
        let end = |version| ChainEnd { version, hash: Digest::of(b"x") };
        let ends = |of: &[(&str, u64)]| Audit {
            ends: of.iter().map(|(subject, version)| ((*subject).to_owned(), end(*version))).collect(),
            ..Audit::default()
        };
        let sealed = write_ends(&ends(&[("es.a", 1), ("es.b", 2), ("es.c", 3)]));
        assert_eq!(differences(&sealed, &ends(&[("es.a", 1), ("es.b", 2), ("es.c", 3)])), Vec::<String>::new());
        let found = differences(&sealed, &ends(&[("es.a", 1), ("es.c", 2), ("es.d", 1)]));
        assert_eq!((found.len(), found[0].as_str(), found[2].as_str()), (3, "es.b is gone", "es.d was not there"));
        assert!(found[1].starts_with("es.c ends with 2 "), "{}", found[1]);
    }
}
