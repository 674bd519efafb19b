//! Tamper evidence: verifies the hash chain of every aggregate from its first message, and computes one Merkle root
//! over the ends of all chains, to be kept outside the log. Signing the root is the caller's task.

mod chains;
mod merkle;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::connection::Log;
use crate::consumer::Source;
use crate::message::Message;
use crate::position::Positions;
use crate::store::{ChainBreak, Digest, verify_chain};
use crate::streams::Stream;
use crate::{direct_get, follow, inspect};

pub use chains::{ChainEnd, Chains};
pub use merkle::root;

/// How long to wait for progress; reading goes on for as long as the position moves within this time.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(30);

/// Why the events could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A stream's state could not be read.
    #[error(transparent)]
    State(#[from] inspect::Error),
    /// The messages of a suspect chain could not be read again.
    #[error(transparent)]
    Read(#[from] direct_get::Error),
    /// A stream could not be read to its end.
    #[error("cannot read the events")]
    Follow(#[from] follow::Error),
}

/// The result of an audit.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The end of each aggregate's chain, by its subject (`es.<organisation>.<type>.<id>`).
    pub ends: BTreeMap<String, ChainEnd>,
    /// Broken chains, by subject.
    pub breaks: BTreeMap<String, ChainBreak>,
    /// Number of messages read.
    pub messages: u64,
    /// Streams that end before the requested position, with their last sequence.
    pub truncated: BTreeMap<Stream, u64>,
}

impl Audit {
    /// Returns the Merkle root over the ends of all chains.
    pub fn root(&self) -> Digest {
        root(self.ends.iter().map(|(subject, end)| end.leaf(subject)))
    }
}

/// Returns the current last sequence of each stream of domain events.
pub async fn ends(log: &Log) -> Result<BTreeMap<Stream, u64>, Error> {
    let mut ends = BTreeMap::new();
    for stream in Stream::DOMAIN {
        ends.insert(stream, log.last_sequence(stream).await?);
    }
    Ok(ends)
}

/// Reads all domain events up to these positions and verifies every chain.
pub async fn audit(log: &Log, until: &BTreeMap<Stream, u64>) -> Result<Audit, Error> {
    let (mut chains, mut truncated) = (Chains::default(), BTreeMap::new());
    for (stream, wanted) in until {
        let end = log.last_sequence(*stream).await?;
        if end < *wanted {
            truncated.insert(*stream, end);
        }
        chains = read(log, *stream, end.min(*wanted), chains).await?;
    }
    let mut breaks = BTreeMap::new();
    for (stream, subject) in chains.suspects() {
        let tail = subject.split_once('.').map_or("", |(_, tail)| tail);
        let mut messages = log.read_subject(stream, tail, 1).await?;
        // Messages appended after the audited position are not part of the audit.
        messages.retain(|message| until.get(&stream).is_some_and(|until| message.sequence <= *until));
        if let Err(damage) = verify_chain(&messages) {
            breaks.insert(subject, damage);
        }
    }
    Ok(Audit { messages: chains.messages(), ends: chains.into_ends(), breaks, truncated })
}

/// Adds one stream's messages up to a position to the chains.
async fn read(log: &Log, stream: Stream, until: u64, chains: Chains) -> Result<Chains, Error> {
    if until == 0 {
        return Ok(chains);
    }
    let shutdown = CancellationToken::new();
    // Stops the follower when this function returns.
    let _end = shutdown.clone().drop_guard();
    let chains = Arc::new(Mutex::new(chains));
    let folded = chains.clone();
    let fold = move |message: &Message| {
        if message.sequence <= until {
            folded.lock().unwrap_or_else(PoisonError::into_inner).take(message);
        }
    };
    let follower = follow::follow(log, vec![Source::all(stream)], Positions::default(), fold, shutdown.clone()).await;
    let mut before = 0;
    while let Err(late) = follower.reached(stream, until, PROGRESS_TIMEOUT).await {
        let now = follower.position(stream);
        if now <= before {
            return Err(late.into());
        }
        before = now;
    }
    let chains = std::mem::take(&mut *chains.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(chains)
}
