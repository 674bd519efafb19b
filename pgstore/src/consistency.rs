//! Checks that the journal and JetStream belong together: what JetStream holds must be a prefix of what the journal
//! holds. Relaying the rest is `relay`'s task.

use eventlog::{Log, Stream};
use sqlx::PgConnection;

use crate::error::Error;
use crate::rows;

/// Checks one stream and returns JetStream's last sequence.
pub async fn check_stream(log: &Log, db: &mut PgConnection, stream: Stream) -> Result<u64, Error> {
    // JetStream is read first: whatever it holds was in the journal before.
    let relayed = log.last_sequence(stream).await.map_err(|source| Error::JetStream { stream, source })?;
    if relayed == 0 {
        return Ok(0);
    }
    match rows::of_stream(&mut *db, stream, relayed, 1).await?.first() {
        Some(message) if message.position == relayed => {
            log.holds(message).await?;
            Ok(relayed)
        }
        _ => Err(Error::Behind { stream, relayed, stored: rows::last_position(db, stream).await? }),
    }
}

/// Checks all streams of domain events.
pub async fn check_all(log: &Log, db: &mut PgConnection) -> Result<(), Error> {
    for stream in Stream::DOMAIN {
        check_stream(log, db, stream).await?;
    }
    Ok(())
}
