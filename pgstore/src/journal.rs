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

use crate::agree::agree_on_all;
use crate::connections::Connections;
use crate::error::{Error, of_append};
use crate::relay::Relay;
use crate::rows;

/// How many messages of an aggregate are read at once.
const PAGE: i64 = 256;

/// The journal in PostgreSQL.
pub struct PostgresJournal {
    connections: Connections,
    log: Log,
    agreed: OnceCell<()>,
}

impl PostgresJournal {
    /// Returns the journal of an installation: its database, and the log it is relayed to. Nothing is connected yet.
    pub fn new(database_url: &str, log: &Log) -> Result<Arc<Self>, Error> {
        let connections = Connections::new(options(database_url)?);
        Ok(Arc::new(Self { connections, log: log.clone(), agreed: OnceCell::new() }))
    }

    /// Starts relaying into JetStream: this process does it, or stands by while another one does. Dropping the handle
    /// ends it.
    pub fn relay(&self) -> Relay {
        Relay::start(self.connections.options().clone(), self.log.clone())
    }

    async fn page(&self, key: &AggregateKey, from: u64, limit: i64) -> Result<Vec<Message>, Error> {
        let patience = self.log.settings().request_timeout;
        let mut taken = self.connections.take(patience).await?;
        let page = rows::of_subject(&mut taken.db, key.stream(), key.subject(), from, limit);
        let page = timeout(patience, page).await;
        self.connections.give_back(taken, page, patience)
    }

    async fn store(
        &self,
        key: &AggregateKey,
        expected: u64,
        payload: &[u8],
        patience: Duration,
    ) -> Result<Option<u64>, Error> {
        let mut taken = self.connections.take(patience).await?;
        let db = &mut taken.db;
        let stored = async {
            self.agreed(db).await?;
            rows::append(db, key.stream(), key.subject(), expected, payload).await
        };
        let stored = timeout(patience, stored).await;
        self.connections.give_back(taken, stored, patience)
    }

    /// Makes sure, once, that what JetStream holds came from here.
    async fn agreed(&self, db: &mut PgConnection) -> Result<(), Error> {
        self.agreed.get_or_try_init(|| agree_on_all(&self.log, db)).await.map(|_| ())
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
            stored.map_err(of_append)?.ok_or(SendError::WrongLast)
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
