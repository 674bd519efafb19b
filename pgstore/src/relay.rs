//! The relay: one process at a time reads the journal in order and stores each message in JetStream at its sequence.
//! The advisory lock only avoids duplicate work; the sequence check makes a stale relay harmless.

use std::time::Duration;

use eventlog::store::{RelayError, RelayedMessage};
use eventlog::{Log, Stream};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, error, info, warn};

use crate::consistency::check_stream;
use crate::error::Error;
use crate::rows;
use eventlog::error_chain;

/// The advisory lock of the active relay: the letters "ARGS" as a number, and 1.
const LOCK: (i32, i32) = (1_095_910_739, 1);
/// How long a standby relay, or one that failed, waits before its next attempt.
const RETRY_PAUSE: Duration = Duration::from_millis(300);
/// How long the relay waits after an error that a retry cannot resolve.
const HALT_PAUSE: Duration = Duration::from_secs(10);
/// How long the relay waits for a commit notification before it polls.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How old an unrelayed message may be before a standby considers the active relay hung.
const OVERDUE: Duration = Duration::from_secs(3);
/// How many messages one query reads.
const PAGE: i64 = 256;
/// How many messages are in flight at once; JetStream refuses each one unless its predecessor is stored.
const IN_FLIGHT: usize = 32;
/// Counter: messages relayed to JetStream. Label `stream`.
const RELAYED_MESSAGES: &str = "eventlog_relayed_messages_total";
/// How long to wait for an acknowledgement or a database connection.
const ACK_TIMEOUT: Duration = Duration::from_secs(5);

/// A running or standby relay. Dropping it stops it.
pub struct Relay {
    _end: DropGuard,
}

impl Relay {
    pub(crate) fn start(options: PgConnectOptions, log: Log) -> Self {
        let shutdown = CancellationToken::new();
        let ended = shutdown.clone();
        tokio::spawn(async move {
            ended.run_until_cancelled(keep_relaying(options, log)).await;
        });
        Self { _end: shutdown.drop_guard() }
    }
}

async fn keep_relaying(options: PgConnectOptions, log: Log) {
    loop {
        let pause = match lead(&options, &log).await {
            Ok(()) => RETRY_PAUSE,
            Err(failure) if failure.is_final() => {
                error!(error = error_chain(&failure), "relaying is halted");
                HALT_PAUSE
            }
            Err(Error::NotMigrated(_)) => {
                debug!("waiting for the event store's tables");
                RETRY_PAUSE
            }
            Err(failure) => {
                warn!(error = error_chain(&failure), "restarting the relay");
                RETRY_PAUSE
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Relays for as long as the connection that holds the lock lives. If another process holds the lock, this one relays
/// only when that process hangs or was frozen, and only until nothing is left to relay.
async fn lead(options: &PgConnectOptions, log: &Log) -> Result<(), Error> {
    // One connection only: the advisory lock and the notifications belong to its session.
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ACK_TIMEOUT).connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await.map_err(Error::from_sqlx)?;
    let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)").bind(LOCK.0).bind(LOCK.1);
    let locked: bool = lock.fetch_one(&mut listener).await.map_err(Error::from_sqlx)?;
    if !locked && !is_overdue(log, &mut listener).await? {
        return Ok(());
    }
    listener.listen("event_store").await.map_err(Error::from_sqlx)?;
    let mut cursors = Vec::new();
    let mut reader = PgConnection::connect_with(options).await.map_err(Error::from_sqlx)?;
    for stream in Stream::DOMAIN {
        cursors.push(StreamCursor { stream, at: check_stream(log, &mut reader, stream).await? });
    }
    info!(stands_in = !locked, "relaying the event store to JetStream");
    loop {
        let mut moved = false;
        for cursor in &mut cursors {
            moved |= cursor.relay_next(log, &mut listener).await?;
        }
        if !moved && !locked {
            return Ok(());
        }
        if !moved {
            match timeout(POLL_INTERVAL, listener.try_recv()).await {
                Err(_) | Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(failure)) => return Err(Error::from_sqlx(failure)),
            }
        }
    }
}

/// Returns whether a message has been unrelayed for longer than an active relay ever takes.
async fn is_overdue(log: &Log, db: &mut PgListener) -> Result<bool, Error> {
    for stream in Stream::DOMAIN {
        let at = log.last_sequence(stream).await.map_err(|source| Error::JetStream { stream, source })?;
        if rows::is_older_than(&mut *db, stream, at + 1, OVERDUE).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How far one stream is relayed.
struct StreamCursor {
    stream: Stream,
    at: u64,
}

impl StreamCursor {
    /// Relays the next page of messages; returns whether there were any.
    async fn relay_next(&mut self, log: &Log, db: &mut PgListener) -> Result<bool, Error> {
        let page = rows::of_stream(&mut *db, self.stream, self.at + 1, PAGE).await?;
        let Some(last) = page.last().map(|message| message.position) else { return Ok(false) };
        if relay(log, &page, IN_FLIGHT).await.is_err() {
            // With several in flight, one refusal makes its successors fail too; one at a time they do not.
            relay(log, &page, 1).await?;
        }
        metrics::counter!(RELAYED_MESSAGES, "stream" => self.stream.name()).increment(page.len() as u64);
        self.at = last;
        Ok(true)
    }
}

fn relay(log: &Log, page: &[RelayedMessage], in_flight: usize) -> BoxFuture<'static, Result<(), RelayError>> {
    let sent: Vec<_> = page
        .iter()
        .cloned()
        .map(|message| {
            let log = log.clone();
            async move { log.relay(&message, ACK_TIMEOUT).await }.boxed()
        })
        .collect();
    stream::iter(sent).buffered(in_flight).try_collect().boxed()
}
