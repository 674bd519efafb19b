//! The event store's journal in one PostgreSQL table. An append is one statement and hence one transaction; it returns
//! once the database has committed. Relaying to JetStream is in `relay`.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use eventlog::store::{AggregateKey, Cause, Journal, SendError};
use eventlog::{Log, Message};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use crate::connections::Connections;
use crate::consistency::check_all;
use crate::error::{Error, append_error};
use crate::relay::Relay;
use crate::rows;

/// How many messages of an aggregate one query reads.
const PAGE: i64 = 256;

/// The journal in PostgreSQL.
pub struct PostgresJournal {
    connections: Connections,
    log: Log,
    checked: OnceCell<()>,
}

impl PostgresJournal {
    /// Returns the journal of an installation, given its database and the log that its messages are relayed to. Opens
    /// no connection yet.
    pub fn new(database_url: &str, log: &Log) -> Result<Arc<Self>, Error> {
        let connections = Connections::new(options(database_url)?);
        Ok(Arc::new(Self { connections, log: log.clone(), checked: OnceCell::new() }))
    }

    /// Starts relaying to JetStream: this process relays, or stands by while another one does. Dropping the handle
    /// stops it.
    pub fn relay(&self) -> Relay {
        Relay::start(self.connections.options().clone(), self.log.clone())
    }

    async fn page(&self, key: &AggregateKey, from: u64, limit: i64) -> Result<Vec<Message>, Error> {
        let max_wait = self.log.settings().request_timeout;
        let mut lease = self.connections.acquire(max_wait).await?;
        let page = rows::of_subject(&mut lease.db, key.stream(), key.subject(), from, limit);
        let page = timeout(max_wait, page).await;
        self.connections.release(lease, page, max_wait)
    }

    async fn store(
        &self,
        key: &AggregateKey,
        expected: u64,
        payload: &[u8],
        max_wait: Duration,
    ) -> Result<Option<u64>, Error> {
        let mut lease = self.connections.acquire(max_wait).await?;
        let db = &mut lease.db;
        let stored = async {
            self.checked(db).await?;
            rows::append(db, key.stream(), key.subject(), expected, payload).await
        };
        let stored = timeout(max_wait, stored).await;
        self.connections.release(lease, stored, max_wait)
    }

    /// Checks once that JetStream's messages came from this journal.
    async fn checked(&self, db: &mut PgConnection) -> Result<(), Error> {
        self.checked.get_or_try_init(|| check_all(&self.log, db)).await.map(|_| ())
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
            let stored = self.store(key, expected, &payload, timeout).await;
            stored.map_err(append_error)?.ok_or(SendError::WrongLast)
        })
    }

    fn reachable_by(&self, _: Instant) -> BoxFuture<'_, ()> {
        // There is no connection state to wait for: each attempt acquires a live connection itself.
        Box::pin(std::future::ready(()))
    }
}

/// Parses the URL and sets session options: a commit is on disk before it is answered, whatever the database's default,
/// and TCP keep-alives detect a dead peer quickly, so that its locks are released.
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
