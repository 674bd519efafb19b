//! The chains of all aggregates at once, message after message, with no more in memory than their ends. Which message of
//! a chain is wrong is found out afterwards, for those that are suspect.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::Message;
use crate::store::{ChainHead, Digest, follows};
use crate::streams::Stream;

/// The end of an aggregate's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    /// The version of the last event.
    pub version: u64,
    /// The digest of the last message.
    pub hash: Digest,
}

impl ChainEnd {
    /// What stands for the aggregate in the root.
    pub fn leaf(&self, subject: &str) -> Vec<u8> {
        format!("{subject} {} {}", self.version, self.hash).into_bytes()
    }
}

/// All chains, as far as they were read.
#[derive(Debug, Default)]
pub struct Chains {
    heads: BTreeMap<String, ChainHead>,
    suspects: BTreeSet<(Stream, String)>,
    messages: u64,
}

impl Chains {
    /// Takes the next message of a stream.
    pub fn take(&mut self, message: &Message) {
        self.messages += 1;
        let head = self.heads.entry(message.subject.clone()).or_default();
        let (next, fits) = follows(head, message);
        *head = next;
        if !fits {
            self.suspects.insert((message.stream, message.subject.clone()));
        }
    }

    /// Lists the aggregates with a message that does not fit the one before it.
    pub fn suspects(&self) -> impl Iterator<Item = (Stream, String)> {
        self.suspects.iter().cloned()
    }

    /// How many messages were taken.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Returns the ends of all chains by subject.
    pub fn into_ends(self) -> BTreeMap<String, ChainEnd> {
        let end = |(subject, head): (String, ChainHead)| (subject, ChainEnd { version: head.version, hash: head.hash });
        self.heads.into_iter().map(end).collect()
    }
}
