//! Leader election for each projection. The owner holds a PostgreSQL advisory lock on a connection of its own, with a
//! heartbeat every two seconds; other processes stand by. The lock only avoids wasted work: what makes a stale owner
//! harmless is the checkpoint's generation, which fences its writes.

use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use eventlog::error_chain;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use crate::Error;

/// How often a process that stands by tries to take the lock.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// Takes the lock of the projection.
const TAKE_LOCK: &str = "SELECT pg_try_advisory_lock(hashtextextended('argusiq.projection.' || $1, 0))";
/// Takes the priority lock. Processes that stand by hold it shared for an instant while they try, so a refusal is
/// retried.
const TAKE_PRIORITY: &str = "SELECT pg_try_advisory_lock(hashtextextended('argusiq.projection.first.' || $1, 0))";
/// Takes the lock of the projection unless another process holds the priority lock.
const STAND_BY: &str = "SELECT CASE
    WHEN pg_try_advisory_xact_lock_shared(hashtextextended('argusiq.projection.first.' || $1, 0))
    THEN pg_try_advisory_lock(hashtextextended('argusiq.projection.' || $1, 0)) ELSE false END";
/// How often the owner uses the lock's connection, to show that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long a heartbeat or a new connection may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// After this long without a statement, PostgreSQL ends the session that holds the lock, or an idle transaction: the
/// process hangs or is partitioned. Four missed heartbeats.
pub(crate) const IDLE_TIMEOUT: &str = "8s";

/// Ownership of one projection, and the connection to write it with.
pub struct Owner {
    options: PgConnectOptions,
    name: &'static str,
    db: Option<PgConnection>,
    lost: CancellationToken,
    // Stops the heartbeat, and so frees the lock, if the owner is dropped without a release.
    held: DropGuard,
    keeping: JoinHandle<()>,
}

impl Owner {
    /// Waits until the projection is free and takes it; `None` on shutdown. Retries while the database is unreachable.
    /// While another process acquires with priority, the projection does not count as free.
    pub async fn acquire(options: &PgConnectOptions, name: &'static str, shutdown: &CancellationToken) -> Option<Self> {
        Self::acquire_by(STAND_BY, options, name, shutdown).await
    }

    /// Like `acquire`, but ahead of every process that stands by. Only one process at a time acquires with priority.
    pub async fn acquire_with_priority(
        options: &PgConnectOptions,
        name: &'static str,
        shutdown: &CancellationToken,
    ) -> Option<Self> {
        // Needed only until the projection is taken: then the projection's own lock keeps the others out.
        let priority = Self::acquire_by(TAKE_PRIORITY, options, name, shutdown).await?;
        let owner = Self::acquire_by(TAKE_LOCK, options, name, shutdown).await;
        priority.release().await;
        owner
    }

    async fn acquire_by(
        lock_statement: &'static str,
        options: &PgConnectOptions,
        name: &'static str,
        shutdown: &CancellationToken,
    ) -> Option<Self> {
        let mut stood_by = false;
        loop {
            match shutdown.run_until_cancelled(lock(lock_statement, options, name)).await? {
                Ok(Some(lock)) => {
                    if stood_by {
                        info!(projection = name, "took over");
                    }
                    return Some(Self::new(options.clone(), name, lock));
                }
                Ok(None) if !stood_by => {
                    info!(projection = name, "standing by: another process runs it");
                    stood_by = true;
                }
                Ok(None) => {}
                Err(error) => {
                    warn!(projection = name, error = error_chain(&error), "cannot acquire the projection; will retry")
                }
            }
            shutdown.run_until_cancelled(tokio::time::sleep(RETRY_INTERVAL)).await?;
        }
    }

    fn new(options: PgConnectOptions, name: &'static str, lock: PgConnection) -> Self {
        let (lost, held) = (CancellationToken::new(), CancellationToken::new());
        let keeping = tokio::spawn(hold(lock, name, held.clone(), lost.clone()));
        Self { options, name, db: None, lost, held: held.drop_guard(), keeping }
    }

    /// Returns a token that is cancelled when the lock is lost.
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Returns the connection, or a new one after `drop_connection`. Errors if the lock is lost.
    pub async fn db(&mut self) -> Result<&mut PgConnection, Error> {
        if self.lost.is_cancelled() {
            return Err(Error::Fenced(self.name.to_owned()));
        }
        if self.db.is_none() {
            self.db = Some(in_time(self.options.connect()).await?);
        }
        self.db.as_mut().ok_or_else(|| Error::Fenced(self.name.to_owned()))
    }

    /// Drops the connection after a failure, which rolls back its transaction.
    pub fn drop_connection(&mut self) {
        self.db = None;
    }

    /// Releases the projection immediately.
    pub async fn release(mut self) {
        if let Some(db) = self.db.take()
            && let Err(error) = in_time(db.close()).await
        {
            warn!(projection = self.name, error = error_chain(&error), "cannot close the connection cleanly");
        }
        drop(self.held);
        // A panic of the heartbeat task is ignored: it closes the connection, which frees the lock as well.
        let _ = self.keeping.await;
    }
}

/// Sends heartbeats on the lock's connection until the lock is released or lost.
async fn hold(mut lock: PgConnection, name: &'static str, held: CancellationToken, lost: CancellationToken) {
    while held.run_until_cancelled(tokio::time::sleep(HEARTBEAT)).await.is_some() {
        if let Err(error) = in_time(sqlx::query("SELECT 1").execute(&mut lock)).await {
            warn!(projection = name, error = error_chain(&error), "heartbeat failed; the lock is lost");
            lost.cancel();
            return;
        }
    }
    if let Err(error) = in_time(lock.close()).await {
        warn!(projection = name, error = error_chain(&error), "cannot close the connection cleanly");
    }
}

/// Returns the options of connections that write read models. Commits do not wait for fsync: if the database crashes,
/// rows and checkpoint are lost together, and the log is read again from there. PostgreSQL ends an idle transaction, so
/// that the locks of a hung process block nobody.
pub fn writer_options(url: &str) -> Result<PgConnectOptions, Error> {
    let options = PgConnectOptions::from_str(url).map_err(Error::Connect)?;
    Ok(options
        .application_name("argusiq-project")
        .options([("synchronous_commit", "off"), ("timezone", "UTC"), ("jit", "off")])
        .options([("idle_in_transaction_session_timeout", IDLE_TIMEOUT)])
        .log_slow_statements(tracing::log::LevelFilter::Debug, Duration::from_secs(5)))
}

async fn lock(lock_statement: &str, options: &PgConnectOptions, name: &str) -> Result<Option<PgConnection>, Error> {
    let options = options.clone().options([("idle_session_timeout", IDLE_TIMEOUT)]);
    let mut db = in_time(options.connect()).await?;
    let held: bool = in_time(sqlx::query_scalar(lock_statement).bind(name).fetch_one(&mut db)).await?;
    Ok(held.then_some(db))
}

async fn in_time<T>(operation: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Error> {
    match tokio::time::timeout(TIMEOUT, operation).await {
        Ok(answer) => answer.map_err(Error::Statement),
        Err(_) => Err(Error::Timeout(TIMEOUT.as_secs())),
    }
}
