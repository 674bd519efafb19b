//! Opens the command side: event stores, vault and keys behind one handle that is cheap to clone.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use eventlog::store::{Journal, JournalChoiceError, JournalKind, RunningFeed};
use eventlog::{Log, secrets, store};
use pgstore::{PostgresJournal, Relay};
use tokio_util::sync::CancellationToken;

use crate::access_changes::AccessChanges;
use crate::keys::Keys;
use crate::stores::Stores;
use crate::vault::Vault;

/// The clock that gives each command its recording time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Executes commands and stores the resulting events. Cheap to clone: clones share the caches and the connection.
#[derive(Clone)]
pub struct Commands {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) stores: Stores,
    pub(crate) vault: Vault,
    pub(crate) keys: Keys,
    pub(crate) access_changes: AccessChanges,
    clock: Clock,
    // Held only to be dropped: that ends the feed and the relay.
    _feed: RunningFeed,
    _relay: Option<Relay>,
}

/// Where events are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EventStore {
    /// In JetStream itself.
    #[default]
    JetStream,
    /// In PostgreSQL, from where a relay copies them to JetStream.
    Postgres {
        /// `postgres://…`; the migrations create its tables.
        database_url: String,
    },
}

/// Why the command side cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The secrets cannot be opened.
    #[error("cannot open the secrets")]
    Secrets(#[source] secrets::Error),
    /// The feed that updates the caches cannot start.
    #[error("cannot follow the log")]
    Feed(#[source] store::Error),
    /// The installation stores its events elsewhere.
    #[error(transparent)]
    Choice(#[from] JournalChoiceError),
    /// The event store cannot be opened.
    #[error("cannot open the event store")]
    EventStore(#[source] pgstore::Error),
}

impl Commands {
    /// Opens the command side on a log whose streams and buckets are declared, with the events in JetStream. Its caches
    /// follow the log until the last clone is dropped.
    pub async fn open(log: Log, keys: Keys, clock: Clock) -> Result<Commands, OpenError> {
        Self::open_with(EventStore::JetStream, log, keys, clock).await
    }

    /// Opens the command side on the given event store, which must be the one the installation was set up with. With
    /// PostgreSQL, this process relays events to JetStream, or stands by while another process does.
    pub async fn open_with(chosen: EventStore, log: Log, keys: Keys, clock: Clock) -> Result<Commands, OpenError> {
        let vault = Vault::open(&log, &keys.master).await.map_err(OpenError::Secrets)?;
        let (journal, relay) = match chosen.journal(&log).await? {
            None => (None, None),
            Some(journal) => (Some(journal.clone() as Arc<dyn Journal>), Some(journal.relay())),
        };
        Self::with(journal, relay, log, vault, keys, clock).await
    }

    /// Opens the command side without the secrets, for a process whose commands need none (alarms, activities);
    /// commands that need a secret are refused. Such a process is not permitted to write to every stream, so it does
    /// not relay.
    pub async fn open_without_secrets(
        chosen: EventStore,
        log: Log,
        keys: Keys,
        clock: Clock,
    ) -> Result<Commands, OpenError> {
        let journal = chosen.journal(&log).await?.map(|journal| journal as Arc<dyn Journal>);
        Self::with(journal, None, log, Vault::closed(), keys, clock).await
    }

    async fn with(
        journal: Option<Arc<dyn Journal>>,
        relay: Option<Relay>,
        log: Log,
        vault: Vault,
        keys: Keys,
        clock: Clock,
    ) -> Result<Commands, OpenError> {
        let stores = Stores::new(&log, journal);
        let access_changes = AccessChanges::default();
        let feed = stores.feed(&log).then(access_changes.listener()).start(CancellationToken::new()).await;
        let feed = feed.map_err(OpenError::Feed)?;
        let inner = Inner { stores, vault, keys, access_changes, clock, _feed: feed, _relay: relay };
        Ok(Commands { inner: Arc::new(inner) })
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.inner.clock)()
    }
}

impl EventStore {
    /// Returns the kind of store, as the installation records it.
    pub fn kind(&self) -> JournalKind {
        match self {
            Self::JetStream => JournalKind::JetStream,
            Self::Postgres { .. } => JournalKind::Postgres,
        }
    }

    /// Returns the PostgreSQL journal, or `None` for JetStream's own, after checking that the installation stores its
    /// events there.
    async fn journal(&self, log: &Log) -> Result<Option<Arc<PostgresJournal>>, OpenError> {
        log.choose_journal(self.kind()).await?;
        match self {
            Self::JetStream => Ok(None),
            Self::Postgres { database_url } => {
                PostgresJournal::new(database_url, log).map(Some).map_err(OpenError::EventStore)
            }
        }
    }
}
