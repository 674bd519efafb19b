//! The statements on the table `event_store`, and its rows as messages.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use eventlog::store::RelayedMessage;
use eventlog::{Headers, Message, Stream};
use sqlx::postgres::PgRow;
use sqlx::{Executor, PgConnection, PgExecutor, Row};

use crate::error::Error;
use eventlog::error_chain;

const APPEND: &str = "SELECT event_store_append($1, $2, $3, $4)";

/// Prepares the append statement on a new connection, so that each append is a single round trip. An error here, such
/// as a missing table, is only logged; the append itself will report it.
pub async fn prepare_append(db: &mut PgConnection) {
    if let Err(error) = db.prepare(APPEND).await {
        tracing::debug!(error = error_chain(&error), "cannot prepare the append statement yet");
    }
}

/// Reads up to `limit` of an aggregate's messages from a position on.
pub async fn of_subject(
    db: impl PgExecutor<'_>,
    stream: Stream,
    subject: &str,
    from: u64,
    limit: i64,
) -> Result<Vec<Message>, Error> {
    let statement = "SELECT position, payload, stored_at FROM event_store
        WHERE subject = $1 AND position >= $2 ORDER BY position LIMIT $3";
    let rows = sqlx::query(statement).bind(subject).bind(signed(from)).bind(limit).fetch_all(db).await;
    let message = |row: &PgRow| -> Result<Message, sqlx::Error> {
        Ok(Message {
            stream,
            subject: subject.to_owned(),
            sequence: unsigned(row.try_get("position")?),
            published_at: row.try_get::<DateTime<Utc>, _>("stored_at")?,
            headers: Headers::new(),
            payload: Bytes::from(row.try_get::<Vec<u8>, _>("payload")?),
        })
    };
    rows.map_err(Error::from_sqlx)?.iter().map(message).collect::<Result<_, _>>().map_err(Error::from_sqlx)
}

/// Reads up to `limit` of a stream's messages from a position on.
pub async fn of_stream(
    db: impl PgExecutor<'_>,
    stream: Stream,
    from: u64,
    limit: i64,
) -> Result<Vec<RelayedMessage>, Error> {
    let statement = "SELECT position, subject, follows, payload FROM event_store
        WHERE stream = $1 AND position >= $2 ORDER BY position LIMIT $3";
    let rows = sqlx::query(statement).bind(stream.name()).bind(signed(from)).bind(limit).fetch_all(db).await;
    let message = |row: &PgRow| -> Result<RelayedMessage, sqlx::Error> {
        Ok(RelayedMessage {
            stream,
            position: unsigned(row.try_get("position")?),
            subject: row.try_get("subject")?,
            follows: unsigned(row.try_get("follows")?),
            payload: Bytes::from(row.try_get::<Vec<u8>, _>("payload")?),
        })
    };
    rows.map_err(Error::from_sqlx)?.iter().map(message).collect::<Result<_, _>>().map_err(Error::from_sqlx)
}

/// Reads a stream's last position, 0 if it has none.
pub async fn last_position(db: impl PgExecutor<'_>, stream: Stream) -> Result<u64, Error> {
    let statement = "SELECT coalesce(max(position), 0) FROM event_store WHERE stream = $1";
    let last: i64 = sqlx::query_scalar(statement).bind(stream.name()).fetch_one(db).await.map_err(Error::from_sqlx)?;
    Ok(unsigned(last))
}

/// Returns whether there is a message at a position that was stored longer ago than `age`.
pub async fn is_older_than(
    db: impl PgExecutor<'_>,
    stream: Stream,
    position: u64,
    age: Duration,
) -> Result<bool, Error> {
    let statement = "SELECT EXISTS (SELECT FROM event_store WHERE stream = $1 AND position = $2
        AND stored_at < clock_timestamp() - make_interval(secs => $3))";
    let query = sqlx::query_scalar(statement).bind(stream.name()).bind(signed(position)).bind(age.as_secs_f64());
    query.fetch_one(db).await.map_err(Error::from_sqlx)
}

/// Stores a message as its aggregate's next one; returns `None` when the aggregate's last message is not at `expected`.
pub async fn append(
    db: impl PgExecutor<'_>,
    stream: Stream,
    subject: &str,
    expected: u64,
    payload: &[u8],
) -> Result<Option<u64>, Error> {
    let append = sqlx::query_scalar(APPEND).bind(stream.name()).bind(subject).bind(signed(expected)).bind(payload);
    let position: Option<i64> = append.fetch_one(db).await.map_err(Error::from_sqlx)?;
    Ok(position.map(unsigned))
}

fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn unsigned(position: i64) -> u64 {
    u64::try_from(position).unwrap_or_default()
}
