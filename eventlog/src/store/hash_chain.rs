//! The hash chain of one aggregate: every message names the digest of its predecessor as stored. Verifies copies of
//! messages; a truncated end is detected only against a head recorded elsewhere.

use super::digest::Digest;
use super::head::{PREVIOUS_HASH, envelopes};
use crate::envelope::Envelope;
use crate::message::Message;

/// The end of a chain: recorded elsewhere, it reveals a later truncation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainHead {
    /// The version of the last event; 0 if there are no messages.
    pub version: u64,
    /// The stream sequence of the last message.
    pub position: u64,
    /// The digest of the last message.
    pub hash: Digest,
}

/// The kind of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A message's bytes differ from those stored.
    Changed,
    /// Messages before this one are missing.
    Missing,
    /// Messages are out of order or duplicated.
    Reordered,
}

/// Where a chain breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chain breaks at sequence {position}, after version {after}: {damage:?}")]
pub struct ChainBreak {
    /// The stream sequence of the message that was changed or moved, or that follows the missing ones.
    pub position: u64,
    /// The last version before the damage.
    pub after: u64,
    /// The kind of damage.
    pub damage: Damage,
}

/// Verifies all messages of one aggregate, in log order from the first, and returns the chain's end.
pub fn verify_chain(messages: &[Message]) -> Result<ChainHead, ChainBreak> {
    let links: Vec<Link> = messages.iter().map(Link::of).collect();
    let mut head = ChainHead::default();
    for (at, link) in links.iter().enumerate() {
        if let Some(damage) = link.damage_after(&head, &links[at + 1..]) {
            return Err(ChainBreak { position: link.position, after: head.version, damage });
        }
        if link.previous != Some(head.hash) {
            // If this message was changed, the next one disagrees with it too; otherwise the previous message was
            // changed.
            let next_agrees = links.get(at + 1).is_none_or(|next| next.previous == Some(link.hash));
            let position = if next_agrees && at > 0 { head.position } else { link.position };
            return Err(ChainBreak { position, after: head.version, damage: Damage::Changed });
        }
        head = ChainHead { version: link.last, position: link.position, hash: link.hash };
    }
    Ok(head)
}

/// Returns the chain's end including this message, and whether the message continues the chain.
pub(crate) fn follows(head: &ChainHead, message: &Message) -> (ChainHead, bool) {
    let link = Link::of(message);
    let fits = link.damage_after(head, &[]).is_none() && link.previous == Some(head.hash);
    (ChainHead { version: link.last, position: link.position, hash: link.hash }, fits)
}

/// Verifies a chain like [`verify_chain`], and that it still contains the message that was its end when `recorded` was
/// taken. This also detects a truncated end and a changed last message.
pub fn verify_chain_since(messages: &[Message], recorded: &ChainHead) -> Result<ChainHead, ChainBreak> {
    let head = verify_chain(messages)?;
    let broken = |damage| Err(ChainBreak { position: recorded.position, after: head.version, damage });
    match messages.iter().find(|message| message.sequence == recorded.position) {
        _ if recorded.version == 0 => Ok(head),
        Some(message) if Digest::of(&message.payload) == recorded.hash => Ok(head),
        Some(_) => broken(Damage::Changed),
        None => broken(Damage::Missing),
    }
}

/// The chain-related data of one message.
struct Link {
    position: u64,
    first: u64,
    last: u64,
    previous: Option<Digest>,
    hash: Digest,
}

impl Link {
    /// Reads a message's link. An unreadable message gets version 0 and no previous digest, so it fits nowhere.
    fn of(message: &Message) -> Self {
        let envelopes = envelopes(message).unwrap_or_default();
        let whole = envelopes.windows(2).all(|pair| pair[1].sequence == pair[0].sequence + 1);
        let version = |envelope: Option<&Envelope>| envelope.filter(|_| whole).map_or(0, |envelope| envelope.sequence);
        let (first, last) = (version(envelopes.first()), version(envelopes.last()));
        let previous = common_previous(&envelopes);
        Self { position: message.sequence, first, last, previous, hash: Digest::of(&message.payload) }
    }

    fn damage_after(&self, head: &ChainHead, later: &[Link]) -> Option<Damage> {
        let expected = head.version + 1;
        if self.first == 0 {
            return Some(Damage::Changed);
        }
        if self.position <= head.position {
            return Some(Damage::Reordered);
        }
        if self.first == expected {
            return None;
        }
        if self.previous == Some(head.hash) {
            // The digest proves the right successor, so its versions were changed.
            return Some(Damage::Changed);
        }
        let expected_comes_later = later.iter().any(|link| link.first == expected);
        Some(if self.first < expected || expected_comes_later { Damage::Reordered } else { Damage::Missing })
    }
}

fn common_previous(envelopes: &[Envelope]) -> Option<Digest> {
    let mut all = envelopes.iter().map(|envelope| envelope.metadata.get(PREVIOUS_HASH));
    let first = all.next()??;
    if all.all(|other| other == Some(first)) { first.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
