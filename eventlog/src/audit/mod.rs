//! Whether the stored events are those that were stored: the hash chain of every aggregate, read from the first message
//! on, and one root over the ends of all chains that can be kept elsewhere. What does not live here: who signs the root.

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

/// How long one look at the reader may take; it goes on as long as it moves.
const LOOK: Duration = Duration::from_secs(30);

/// Why the events could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A stream's state is not known.
    #[error(transparent)]
    State(#[from] inspect::Error),
    /// The messages of a broken chain could not be read again.
    #[error(transparent)]
    Read(#[from] direct_get::Error),
    /// The streams could not be read to their end.
    #[error("the events could not be read")]
    Follow(#[from] follow::Error),
}

/// What a reading of all events found.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The end of each aggregate's chain, by its subject (`es.<organisation>.<type>.<id>`).
    pub ends: BTreeMap<String, ChainEnd>,
    /// Chains that are not whole, by subject.
    pub breaks: BTreeMap<String, ChainBreak>,
    /// Messages read.
    pub messages: u64,
    /// Streams that end before the position they should be read to, with where they end.
    pub truncated: BTreeMap<Stream, u64>,
}

impl Audit {
    /// The root over the ends of all chains.
    pub fn root(&self) -> Digest {
        root(self.ends.iter().map(|(subject, end)| end.leaf(subject)))
    }
}

/// Returns where the streams of domain events end now.
pub async fn ends(log: &Log) -> Result<BTreeMap<Stream, u64>, Error> {
    let mut ends = BTreeMap::new();
    for stream in Stream::DOMAIN {
        ends.insert(stream, log.last_sequence(stream).await?);
    }
    Ok(ends)
}

/// Reads all domain events up to these positions and checks every chain.
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
        messages.retain(|message| until.get(&stream).is_some_and(|until| message.sequence <= *until));
        if let Err(damage) = verify_chain(&messages) {
            breaks.insert(subject, damage);
        }
    }
    Ok(Audit { messages: chains.messages(), ends: chains.into_ends(), breaks, truncated })
}

/// Folds one stream into the chains, up to a position.
async fn read(log: &Log, stream: Stream, until: u64, chains: Chains) -> Result<Chains, Error> {
    if until == 0 {
        return Ok(chains);
    }
    let shutdown = CancellationToken::new();
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
    while let Err(late) = follower.reached(stream, until, LOOK).await {
        let now = follower.position(stream);
        if now <= before {
            return Err(late.into());
        }
        before = now;
    }
    let chains = std::mem::take(&mut *chains.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(chains)
}
