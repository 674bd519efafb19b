//! Checks the hash chains of all aggregates in one pass, keeping only the end of each chain in memory. `audit` then
//! re-reads the suspect chains to find the broken message.

use std::collections::{BTreeMap, BTreeSet};

use crate::message::Message;
use crate::store::{ChainHead, Digest, follows};
use crate::streams::Stream;

/// The end of an aggregate's hash chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    /// The version of the last event.
    pub version: u64,
    /// The digest of the last message.
    pub hash: Digest,
}

impl ChainEnd {
    /// Returns the leaf that represents the aggregate in the Merkle tree.
    pub fn leaf(&self, subject: &str) -> Vec<u8> {
        format!("{subject} {} {}", self.version, self.hash).into_bytes()
    }
}

/// All hash chains up to the messages read so far.
#[derive(Debug, Default)]
pub struct Chains {
    heads: BTreeMap<String, ChainHead>,
    suspects: BTreeSet<(Stream, String)>,
    messages: u64,
}

impl Chains {
    /// Adds the next message of a stream.
    pub fn take(&mut self, message: &Message) {
        self.messages += 1;
        let head = self.heads.entry(message.subject.clone()).or_default();
        let (next, fits) = follows(head, message);
        *head = next;
        if !fits {
            self.suspects.insert((message.stream, message.subject.clone()));
        }
    }

    /// Lists the aggregates that have a message which does not continue its chain.
    pub fn suspects(&self) -> impl Iterator<Item = (Stream, String)> {
        self.suspects.iter().cloned()
    }

    /// Returns how many messages were added.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Returns the ends of all chains by subject.
    pub fn into_ends(self) -> BTreeMap<String, ChainEnd> {
        let end = |(subject, head): (String, ChainHead)| (subject, ChainEnd { version: head.version, hash: head.hash });
        self.heads.into_iter().map(end).collect()
    }
}
