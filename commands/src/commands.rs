//! The handle to all commands and how it is opened. What does not live here: any command.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use eventlog::store::{Journal, JournalChoiceError, JournalKind, RunningFeed};
use eventlog::{Log, secrets, store};
use pgstore::{PostgresJournal, Relay};
use tokio_util::sync::CancellationToken;

use crate::keys::Keys;
use crate::stores::Stores;
use crate::vault::Vault;

/// The clock that commands are recorded by.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Takes commands and stores the events they cause. Cheap to clone; clones share caches and connection.
#[derive(Clone)]
pub struct Commands {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) stores: Stores,
    pub(crate) vault: Vault,
    pub(crate) keys: Keys,
    clock: Clock,
    _feed: RunningFeed,
    _relay: Option<Relay>,
}

/// Where events are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EventStore {
    /// In JetStream itself.
    #[default]
    JetStream,
    /// In PostgreSQL, from where they are relayed to JetStream.
    Postgres {
        /// `postgres://…`; its tables are made by the migrations.
        database_url: String,
    },
}

/// Why commands cannot be taken at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The secrets do not open.
    #[error("cannot open the secrets")]
    Secrets(#[source] secrets::Error),
    /// The caches cannot be fed.
    #[error("cannot follow the log")]
    Feed(#[source] store::Error),
    /// The installation keeps its events elsewhere.
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

    /// Opens the command side with the events in the store chosen, which must be the one the installation began with.
    /// With PostgreSQL this process relays them to JetStream, or stands by while another one does.
    pub async fn open_with(chosen: EventStore, log: Log, keys: Keys, clock: Clock) -> Result<Commands, OpenError> {
        let vault = Vault::open(&log, &keys.master).await.map_err(OpenError::Secrets)?;
        let (journal, relay) = match chosen.journal(&log).await? {
            None => (None, None),
            Some(journal) => (Some(journal.clone() as Arc<dyn Journal>), Some(journal.relay())),
        };
        Self::with(journal, relay, log, vault, keys, clock).await
    }

    /// Opens the command side without the secrets, for a process whose commands need none (alarms, activities): those
    /// that do are refused. Such a process may not write to every stream, so it relays nothing.
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
        let feed = stores.feed(&log).start(CancellationToken::new()).await.map_err(OpenError::Feed)?;
        Ok(Commands { inner: Arc::new(Inner { stores, vault, keys, clock, _feed: feed, _relay: relay }) })
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.inner.clock)()
    }
}

impl EventStore {
    /// Where that is, as the installation remembers it.
    pub fn kept(&self) -> JournalKind {
        match self {
            Self::JetStream => JournalKind::JetStream,
            Self::Postgres { .. } => JournalKind::Postgres,
        }
    }

    /// Returns the journal beside JetStream's own, once it is certain that the installation keeps its events there.
    async fn journal(&self, log: &Log) -> Result<Option<Arc<PostgresJournal>>, OpenError> {
        log.choose_journal(self.kept()).await?;
        match self {
            Self::JetStream => Ok(None),
            Self::Postgres { database_url } => {
                PostgresJournal::new(database_url, log).map(Some).map_err(OpenError::EventStore)
            }
        }
    }
}
