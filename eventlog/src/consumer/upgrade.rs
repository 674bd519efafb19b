//! The answer to packs of a newer format version: retry the batch until this process is upgraded; never discard it.

use super::{Batch, Outcome};

/// Returns [`Outcome::Retry`] when the batch holds a pack that a newer version of the program wrote, so that it is read
/// again until this process is upgraded.
///
/// `newer_version` returns the format version of a payload that is newer than this program reads.
pub fn retry_until_upgraded(batch: &Batch, newer_version: impl Fn(&[u8]) -> Option<u8>) -> Option<Outcome> {
    let packs = batch.messages.iter().filter(|message| message.stream.holds_packs());
    let version = packs.filter_map(|message| newer_version(&message.payload)).max()?;
    let cause =
        format!("a pack has format version {version}, written by a newer program version; upgrade this process");
    Some(Outcome::Retry(cause.into()))
}
