//! The journal's database connections: few, most recently used first, and without extra round trips between statements.
//! sqlx's pool pings a connection each time it is returned and opens another one meanwhile.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use crate::error::Error;
use crate::rows;

/// Maximum number of connections per process. More would not help, because appends serialise anyway.
const MAX_CONNECTIONS: usize = 8;
/// How long a connection may be idle before it is pinged on its next use.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);

/// All connections of one journal.
pub struct Connections {
    options: PgConnectOptions,
    idle: Mutex<Vec<Idle>>,
    free: Semaphore,
}

struct Idle {
    db: PgConnection,
    since: Instant,
}

/// A connection in use. Dropping it closes the connection, unless it is released.
pub struct Lease<'a> {
    /// The connection.
    pub db: PgConnection,
    _permit: SemaphorePermit<'a>,
}

impl Connections {
    /// Returns a set without any open connection.
    pub fn new(options: PgConnectOptions) -> Self {
        Self { options, idle: Mutex::default(), free: Semaphore::new(MAX_CONNECTIONS) }
    }

    /// Returns the options for opening connections.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Returns a live connection, waiting at most `max_wait`.
    pub async fn acquire(&self, max_wait: Duration) -> Result<Lease<'_>, Error> {
        let lease = async {
            let permit = self.free.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
            loop {
                let Some(mut idle) = self.pop() else { break };
                if idle.since.elapsed() < PING_AFTER_IDLE || idle.db.ping().await.is_ok() {
                    return Ok(Lease { db: idle.db, _permit: permit });
                }
            }
            let mut db = PgConnection::connect_with(&self.options).await?;
            rows::prepare_append(&mut db).await;
            Ok(Lease { db, _permit: permit })
        };
        timeout(max_wait, lease).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(Error::Unreachable)
    }

    /// Returns the answer, and keeps the connection for reuse if it is still usable; otherwise closes it.
    pub fn release<T>(
        &self,
        lease: Lease<'_>,
        answer: Result<Result<T, Error>, Elapsed>,
        max_wait: Duration,
    ) -> Result<T, Error> {
        let answer = answer.unwrap_or(Err(Error::TimedOut(max_wait)));
        if answer.as_ref().err().is_none_or(Error::keeps_connection_usable) {
            let idle = Idle { db: lease.db, since: Instant::now() };
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
        }
        answer
    }

    fn pop(&self) -> Option<Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}
