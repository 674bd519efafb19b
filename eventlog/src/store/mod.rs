//! The event store on JetStream: aggregates are loaded from their subject and appended to it, one message per command,
//! with optimistic concurrency by the subject's last sequence. Deciding is the callers' business, and so is retrying.

mod append;
mod cache;
mod chain;
mod digest;
mod encode;
mod error;
mod feed;
mod framework;
mod head;
mod key;
mod load;
mod loaded;
mod recent;
mod settings;
mod snapshot;

use std::sync::Arc;

pub use chain::{ChainBreak, ChainHead, Damage, verify_chain, verify_chain_since};
pub use digest::{Digest, NotADigest};
pub use error::{Cause, Error};
pub use feed::{CacheFeed, RunningFeed};
pub use head::{COMMAND_ID, PREVIOUS_HASH};
pub use key::AggregateKey;
pub use loaded::{Appended, Loaded};
pub use recent::{RecentCommands, StoredCommand};
pub use settings::StoreSettings;

use crate::connection::Log;
use crate::upcasters::Upcasters;
use cache::Cache;
use head::Folding;
use snapshot::Snapshots;

/// The event store of one aggregate type. Clones share the connection and the cache.
pub struct JetStreamEventStore<A> {
    inner: Arc<Inner<A>>,
}

struct Inner<A> {
    log: Log,
    settings: StoreSettings,
    folding: Folding,
    cache: Cache<A>,
    snapshots: Snapshots,
}

impl<A> JetStreamEventStore<A> {
    /// Returns a store on a connection. Its cache stays empty until a [`CacheFeed`] serves it.
    pub fn new(log: Log, upcasters: Upcasters, settings: StoreSettings) -> Self {
        let folding = Folding { upcasters, recent_commands: settings.recent_commands };
        let cache = Cache::new(settings.cache_capacity);
        let snapshots = Snapshots::new(&log, &settings);
        Self { inner: Arc::new(Inner { log, settings, folding, cache, snapshots }) }
    }
}

impl<A> Clone for JetStreamEventStore<A> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}
