//! The event store loads aggregates from a journal and appends to it, one message per command, with optimistic
//! concurrency on the position of the aggregate's last message. The journal is JetStream, or another one that is
//! relayed to JetStream. Deciding and retrying are the callers' tasks.

mod append;
mod cache;
mod cache_feed;
mod cqrs_es_adapter;
mod digest;
mod encode;
mod error;
mod hash_chain;
mod head;
mod journal;
mod journal_choice;
mod key;
mod load;
mod loaded;
mod recent_commands;
mod relay;
mod settings;
mod snapshot;

use std::sync::Arc;

pub use cache_feed::{CacheFeed, RunningFeed};
pub use digest::{Digest, NotADigest};
pub use error::{Cause, Error};
pub(crate) use hash_chain::follows;
pub use hash_chain::{ChainBreak, ChainHead, Damage, verify_chain, verify_chain_since};
pub use head::{COMMAND_ID, PREVIOUS_HASH};
pub use journal::Journal;
pub use journal_choice::{JournalChoiceError, JournalKind};
pub use key::AggregateKey;
pub use loaded::{Appended, Loaded};
pub use recent_commands::{RecentCommands, StoredCommand};
pub use relay::{RelayError, RelayedMessage};
pub use settings::StoreSettings;

use crate::connection::Log;
pub use crate::send::SendError;
use crate::upcasters::Upcasters;
use cache::Cache;
use head::Folding;
use snapshot::Snapshots;

/// The event store of one aggregate type. Clones share the connection and the cache.
pub struct AggregateStore<A> {
    inner: Arc<Inner<A>>,
}

struct Inner<A> {
    journal: Arc<dyn Journal>,
    settings: StoreSettings,
    folding: Folding,
    cache: Cache<A>,
    snapshots: Snapshots,
}

impl<A> AggregateStore<A> {
    /// Returns a store whose journal is JetStream. Its cache stays empty until a [`CacheFeed`] serves it.
    pub fn new(log: Log, upcasters: Upcasters, settings: StoreSettings) -> Self {
        Self::with_journal(journal::JetStream::on(log.clone()), &log, upcasters, settings)
    }

    /// Returns a store on another journal; its snapshots are in a bucket of the log, and the log feeds its cache.
    pub fn with_journal(journal: Arc<dyn Journal>, log: &Log, upcasters: Upcasters, settings: StoreSettings) -> Self {
        let folding = Folding { upcasters, recent_commands: settings.recent_commands };
        let cache = Cache::new(settings.cache_capacity);
        let snapshots = Snapshots::new(log, &settings);
        Self { inner: Arc::new(Inner { journal, settings, folding, cache, snapshots }) }
    }
}

impl<A> Clone for AggregateStore<A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}
