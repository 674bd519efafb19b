//! The journal of the event store in one table of PostgreSQL. An append is one statement and so one transaction; its
//! answer comes when the database has committed. What does not live here: the way into JetStream.

use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use eventlog::store::{AggregateKey, Cause, Journal, SendError};
use eventlog::{Log, Message};
use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use crate::agree::agree_on_all;
use crate::error::{Error, of_append};
use crate::relay::Relay;
use crate::rows;

/// How many connections one process opens at most. Appends wait for one another anyway.
const MOST_CONNECTIONS: u32 = 8;
/// How long a connection may be idle before it is asked whether it is still there.
const ASKED_AFTER: Duration = Duration::from_secs(1);
/// How many messages of an aggregate are read at once.
const PAGE: i64 = 256;

/// The journal in PostgreSQL.
pub struct PostgresJournal {
    pool: PgPool,
    log: Log,
    agreed: OnceCell<()>,
}

impl PostgresJournal {
    /// Returns the journal of an installation: its database, and the log it is relayed to. Nothing is connected yet.
    pub fn new(database_url: &str, log: &Log) -> Result<Arc<Self>, Error> {
        let patience = log.settings().request_timeout;
        let pool = PgPoolOptions::new()
            .max_connections(MOST_CONNECTIONS)
            .acquire_timeout(patience)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    rows::make_ready(connection).await;
                    Ok(())
                })
            })
            .test_before_acquire(false)
            .before_acquire(|connection, meta| Box::pin(is_alive(connection, meta.idle_for)))
            .connect_lazy_with(options(database_url)?);
        Ok(Arc::new(Self { pool, log: log.clone(), agreed: OnceCell::new() }))
    }

    /// Starts relaying into JetStream: this process does it, or stands by while another one does. Dropping the handle
    /// ends it.
    pub fn relay(&self) -> Relay {
        Relay::start(self.pool.connect_options().as_ref().clone(), self.log.clone())
    }

    /// Runs one statement on a connection; one that does not answer in time is thrown away.
    async fn ask<T, W>(&self, patience: Duration, work: impl FnOnce(Connection) -> W) -> Result<T, Error>
    where
        W: Future<Output = (Connection, Result<T, Error>)>,
    {
        let acquired = timeout(patience, self.pool.acquire()).await;
        let connection = acquired.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(Error::Unreached)?;
        // A connection that is dropped in the middle does not go back to the pool.
        let (connection, answer) =
            timeout(patience, work(Connection(Some(connection)))).await.map_err(|_| Error::Late(patience))?;
        connection.give_back();
        answer
    }

    /// Makes sure, once, that what JetStream holds came from here.
    async fn agreed(&self, db: &mut PgConnection) -> Result<(), Error> {
        self.agreed.get_or_try_init(|| agree_on_all(&self.log, db)).await.map(|_| ())
    }
}

/// A connection that leaves the pool unless it is given back.
struct Connection(Option<sqlx::pool::PoolConnection<sqlx::Postgres>>);

impl Connection {
    fn db(&mut self) -> Result<&mut PgConnection, Error> {
        self.0.as_deref_mut().ok_or(Error::Unreached(sqlx::Error::PoolClosed))
    }

    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

impl Journal for PostgresJournal {
    fn read<'a>(&'a self, key: &'a AggregateKey, from: u64) -> BoxFuture<'a, Result<Vec<Message>, Cause>> {
        Box::pin(async move {
            let (mut all, mut next) = (Vec::new(), from);
            loop {
                let page = self.page(key, next, PAGE).await?;
                let Some(last) = page.last() else { return Ok(all) };
                next = last.sequence + 1;
                let is_last = (page.len() as i64) < PAGE;
                all.extend(page);
                if is_last {
                    return Ok(all);
                }
            }
        })
    }

    fn next<'a>(&'a self, key: &'a AggregateKey, from: u64) -> BoxFuture<'a, Result<Option<Message>, Cause>> {
        Box::pin(async move { Ok(self.page(key, from, 1).await?.pop()) })
    }

    fn append<'a>(
        &'a self,
        key: &'a AggregateKey,
        expected: u64,
        payload: Bytes,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<u64, SendError>> {
        Box::pin(async move {
            let stored = self.ask(timeout, |mut connection| async move {
                let stored = async {
                    let db = connection.db()?;
                    self.agreed(db).await?;
                    rows::append(db, key.stream(), key.subject(), expected, &payload).await
                };
                let stored = stored.await;
                (connection, stored)
            });
            stored.await.map_err(of_append)?.ok_or(SendError::WrongLast)
        })
    }

    fn reachable_by(&self, _: Instant) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl PostgresJournal {
    async fn page(&self, key: &AggregateKey, from: u64, limit: i64) -> Result<Vec<Message>, Error> {
        let page = self.ask(self.log.settings().request_timeout, |mut connection| async move {
            let page = match connection.db() {
                Ok(db) => rows::of_subject(db, key.stream(), key.subject(), from, limit).await,
                Err(error) => Err(error),
            };
            (connection, page)
        });
        page.await
    }
}

/// Asks a connection that was idle for a while whether it is still there; one in steady use is not asked.
async fn is_alive(connection: &mut PgConnection, idle_for: Duration) -> Result<bool, sqlx::Error> {
    Ok(idle_for < ASKED_AFTER || connection.ping().await.is_ok())
}

/// A commit is on disk before it is answered, whatever the database's default is; a peer that is gone is noticed soon, so
/// that its locks are free.
fn options(database_url: &str) -> Result<PgConnectOptions, Error> {
    let options = PgConnectOptions::from_str(database_url).map_err(Error::Address)?;
    Ok(options.application_name("argusiq-events").options([
        ("synchronous_commit", "on"),
        ("timezone", "UTC"),
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "2"),
        ("tcp_keepalives_count", "3"),
    ]))
}
