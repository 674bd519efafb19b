//! Who runs a projection: the holder of an advisory lock, on a connection of its own that says every two seconds that its
//! process is alive. Others stand by. The lock spares two processes from working against each other; what makes a stale
//! owner harmless is the fence of the checkpoint.

use eventlog::error_chain;
use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use crate::Error;

/// How long somebody who stands by waits until the next attempt.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// Takes the projection.
const TAKE: &str = "SELECT pg_try_advisory_lock(hashtextextended('argusiq.projection.' || $1, 0))";
/// Begins to go first. Whoever asks as one who stands by holds the same lock for a moment only: it is asked for again.
const GO_FIRST: &str = "SELECT pg_try_advisory_lock(hashtextextended('argusiq.projection.first.' || $1, 0))";
/// Takes the projection unless somebody goes first.
const STAND_BY: &str = "SELECT CASE
    WHEN pg_try_advisory_xact_lock_shared(hashtextextended('argusiq.projection.first.' || $1, 0))
    THEN pg_try_advisory_lock(hashtextextended('argusiq.projection.' || $1, 0)) ELSE false END";
/// How often the holder of the lock says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long the database may take to answer that, or a new connection.
const TIMEOUT: Duration = Duration::from_secs(5);
/// After how long of silence the database takes the lock away, or ends a transaction in which nothing happens: the
/// process stands still, or is cut off.
pub(crate) const SILENCE: &str = "8s";

/// The right to write one projection, and the connection to do it with.
pub struct Owner {
    options: PgConnectOptions,
    name: &'static str,
    db: Option<PgConnection>,
    lost: CancellationToken,
    // Ends the task when the owner is dropped without a release.
    held: DropGuard,
    keeping: JoinHandle<()>,
}

impl Owner {
    /// Waits until the projection is free and takes it; none when the shutdown comes first. An unreachable database is
    /// tried again. While somebody goes first, it is not free.
    pub async fn acquire(options: &PgConnectOptions, name: &'static str, shutdown: &CancellationToken) -> Option<Self> {
        Self::acquire_by(STAND_BY, options, name, shutdown).await
    }

    /// Goes first: the same, and those who stand by do not take the projection meanwhile. One at a time goes first.
    pub async fn acquire_with_priority(
        options: &PgConnectOptions,
        name: &'static str,
        shutdown: &CancellationToken,
    ) -> Option<Self> {
        // Held until the projection is taken, and from then on the projection's own lock keeps the others out.
        let line = Self::acquire_by(GO_FIRST, options, name, shutdown).await?;
        let owner = Self::acquire_by(TAKE, options, name, shutdown).await;
        line.release().await;
        owner
    }

    async fn acquire_by(
        ask: &'static str,
        options: &PgConnectOptions,
        name: &'static str,
        shutdown: &CancellationToken,
    ) -> Option<Self> {
        let mut stood_by = false;
        loop {
            match shutdown.run_until_cancelled(lock(ask, options, name)).await? {
                Ok(Some(lock)) => {
                    if stood_by {
                        info!(projection = name, "takes over");
                    }
                    return Some(Self::new(options.clone(), name, lock));
                }
                Ok(None) if !stood_by => {
                    info!(projection = name, "stands by: another process runs it");
                    stood_by = true;
                }
                Ok(None) => {}
                Err(error) => warn!(projection = name, error = error_chain(&error), "cannot start yet"),
            }
            shutdown.run_until_cancelled(tokio::time::sleep(ASK_EVERY)).await?;
        }
    }

    fn new(options: PgConnectOptions, name: &'static str, lock: PgConnection) -> Self {
        let (lost, held) = (CancellationToken::new(), CancellationToken::new());
        let keeping = tokio::spawn(keep(lock, name, held.clone(), lost.clone()));
        Self { options, name, db: None, lost, held: held.drop_guard(), keeping }
    }

    /// Returns what is cancelled when the projection is not this process's any more.
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Returns the connection; after a failure a new one. Errors when the lock is lost.
    pub async fn db(&mut self) -> Result<&mut PgConnection, Error> {
        if self.lost.is_cancelled() {
            return Err(Error::Fenced(self.name.to_owned()));
        }
        if self.db.is_none() {
            self.db = Some(in_time(self.options.connect()).await?);
        }
        self.db.as_mut().ok_or_else(|| Error::Fenced(self.name.to_owned()))
    }

    /// Gives the connection up after a failure: what it was doing ends without effect.
    pub fn drop_connection(&mut self) {
        self.db = None;
    }

    /// Gives the projection back at once.
    pub async fn release(mut self) {
        if let Some(db) = self.db.take()
            && let Err(error) = in_time(db.close()).await
        {
            warn!(projection = self.name, error = error_chain(&error), "left without a word");
        }
        drop(self.held);
        // The task ends by itself; that it died gives the lock back as well.
        let _ = self.keeping.await;
    }
}

/// Holds the lock until it is given back, or lost.
async fn keep(mut lock: PgConnection, name: &'static str, held: CancellationToken, lost: CancellationToken) {
    while held.run_until_cancelled(tokio::time::sleep(HEARTBEAT)).await.is_some() {
        if let Err(error) = in_time(sqlx::query("SELECT 1").execute(&mut lock)).await {
            warn!(projection = name, error = error_chain(&error), "the lock is lost");
            lost.cancel();
            return;
        }
    }
    if let Err(error) = in_time(lock.close()).await {
        warn!(projection = name, error = error_chain(&error), "left without a word");
    }
}

/// Returns the options of connections that write read models. A commit does not wait for the disk: after a crash of the
/// database the checkpoint is as old as the rows, and the log gives the rest again. A transaction in which nothing
/// happens any more is ended, so that its locks stop nobody.
pub fn writer_options(url: &str) -> Result<PgConnectOptions, Error> {
    let options = PgConnectOptions::from_str(url).map_err(Error::Connect)?;
    Ok(options
        .application_name("argusiq-project")
        .options([("synchronous_commit", "off"), ("timezone", "UTC"), ("jit", "off")])
        .options([("idle_in_transaction_session_timeout", SILENCE)])
        .log_slow_statements(tracing::log::LevelFilter::Debug, Duration::from_secs(5)))
}

async fn lock(ask: &str, options: &PgConnectOptions, name: &str) -> Result<Option<PgConnection>, Error> {
    let options = options.clone().options([("idle_session_timeout", SILENCE)]);
    let mut db = in_time(options.connect()).await?;
    let held: bool = in_time(sqlx::query_scalar(ask).bind(name).fetch_one(&mut db)).await?;
    Ok(held.then_some(db))
}

async fn in_time<T>(asking: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Error> {
    match tokio::time::timeout(TIMEOUT, asking).await {
        Ok(answer) => answer.map_err(Error::Statement),
        Err(_) => Err(Error::Timeout(TIMEOUT.as_secs())),
    }
}
