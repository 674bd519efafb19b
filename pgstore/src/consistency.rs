//! Whether the journal and JetStream belong together: what JetStream holds must be a beginning of what the journal holds.
//! Not how the rest gets there.

use eventlog::{Log, Stream};
use sqlx::PgConnection;

use crate::error::Error;
use crate::rows;

/// Compares the ends of a stream and returns JetStream's last sequence.
pub async fn check_stream(log: &Log, db: &mut PgConnection, stream: Stream) -> Result<u64, Error> {
    // In this order: what JetStream has, the journal had before.
    let there = log.last_sequence(stream).await.map_err(|source| Error::JetStream { stream, source })?;
    if there == 0 {
        return Ok(0);
    }
    match rows::of_stream(&mut *db, stream, there, 1).await?.first() {
        Some(message) if message.position == there => {
            log.holds(message).await?;
            Ok(there)
        }
        _ => Err(Error::Behind { stream, there, here: rows::last_position(db, stream).await? }),
    }
}

/// Compares the ends of all streams of domain events.
pub async fn check_all(log: &Log, db: &mut PgConnection) -> Result<(), Error> {
    for stream in Stream::DOMAIN {
        check_stream(log, db, stream).await?;
    }
    Ok(())
}
