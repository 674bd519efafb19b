//! The journal of the event store in one table of PostgreSQL. An append is one statement and so one transaction; its
//! answer comes when the database has committed. What does not live here: the way into JetStream.

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

/// How many messages of an aggregate are read at once.
const PAGE: i64 = 256;

/// The journal in PostgreSQL.
pub struct PostgresJournal {
    connections: Connections,
    log: Log,
    checked: OnceCell<()>,
}

impl PostgresJournal {
    /// Returns the journal of an installation: its database, and the log it is relayed to. Nothing is connected yet.
    pub fn new(database_url: &str, log: &Log) -> Result<Arc<Self>, Error> {
        let connections = Connections::new(options(database_url)?);
        Ok(Arc::new(Self { connections, log: log.clone(), checked: OnceCell::new() }))
    }

    /// Starts relaying into JetStream: this process does it, or stands by while another one does. Dropping the handle
    /// ends it.
    pub fn relay(&self) -> Relay {
        Relay::start(self.connections.options().clone(), self.log.clone())
    }

    async fn page(&self, key: &AggregateKey, from: u64, limit: i64) -> Result<Vec<Message>, Error> {
        let timeout_after = self.log.settings().request_timeout;
        let mut lease = self.connections.acquire(timeout_after).await?;
        let page = rows::of_subject(&mut lease.db, key.stream(), key.subject(), from, limit);
        let page = timeout(timeout_after, page).await;
        self.connections.release(lease, page, timeout_after)
    }

    async fn store(
        &self,
        key: &AggregateKey,
        expected: u64,
        payload: &[u8],
        timeout_after: Duration,
    ) -> Result<Option<u64>, Error> {
        let mut lease = self.connections.acquire(timeout_after).await?;
        let db = &mut lease.db;
        let stored = async {
            self.checked(db).await?;
            rows::append(db, key.stream(), key.subject(), expected, payload).await
        };
        let stored = timeout(timeout_after, stored).await;
        self.connections.release(lease, stored, timeout_after)
    }

    /// Makes sure, once, that what JetStream holds came from here.
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
        Box::pin(std::future::ready(()))
    }
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
