//! The handle to all commands and how it is opened. What does not live here: any command.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use eventlog::store::RunningFeed;
use eventlog::{Log, secrets, store};
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
}

impl Commands {
    /// Opens the command side on a log whose streams and buckets are declared. Its caches follow the log until the
    /// last clone is dropped.
    pub async fn open(log: Log, keys: Keys, clock: Clock) -> Result<Commands, OpenError> {
        let vault = Vault::open(&log, &keys.master).await.map_err(OpenError::Secrets)?;
        Self::with(log, vault, keys, clock).await
    }

    /// Opens the command side without the secrets, for a process whose commands need none (alarms, activities): those
    /// that do are refused.
    pub async fn open_without_secrets(log: Log, keys: Keys, clock: Clock) -> Result<Commands, OpenError> {
        Self::with(log, Vault::closed(), keys, clock).await
    }

    async fn with(log: Log, vault: Vault, keys: Keys, clock: Clock) -> Result<Commands, OpenError> {
        let stores = Stores::new(&log);
        let feed = stores.feed(&log).start(CancellationToken::new()).await.map_err(OpenError::Feed)?;
        Ok(Commands { inner: Arc::new(Inner { stores, vault, keys, clock, _feed: feed }) })
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.inner.clock)()
    }
}
