//! The journal's connections to the database: few, the last used first, and asked nothing between two statements. (sqlx's
//! pool asks a connection each time it is given back, and opens another one meanwhile.) What runs on them is `rows`'s.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use crate::error::Error;
use crate::rows;

/// How many connections one process opens at most. Appends wait for one another anyway.
const MAX_CONNECTIONS: usize = 8;
/// How long a connection may be idle before it is asked whether it is still there.
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

/// A connection in use. It is closed on drop, unless it is given back.
pub struct Lease<'a> {
    /// The connection.
    pub db: PgConnection,
    _permit: SemaphorePermit<'a>,
}

impl Connections {
    /// Connects nothing yet.
    pub fn new(options: PgConnectOptions) -> Self {
        Self { options, idle: Mutex::default(), free: Semaphore::new(MAX_CONNECTIONS) }
    }

    /// How connections are made.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Returns a connection that answers, at most after `timeout_after`.
    pub async fn acquire(&self, timeout_after: Duration) -> Result<Lease<'_>, Error> {
        let lease = async {
            let permit = self.free.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
            loop {
                let Some(mut idle) = self.pop() else { break };
                if idle.since.elapsed() < PING_AFTER_IDLE || idle.db.ping().await.is_ok() {
                    return Ok(Lease { db: idle.db, _permit: permit });
                }
            }
            let mut db = PgConnection::connect_with(&self.options).await?;
            rows::make_ready(&mut db).await;
            Ok(Lease { db, _permit: permit })
        };
        timeout(timeout_after, lease).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(Error::Unreachable)
    }

    /// Keeps a connection on which everything was answered, and returns the answer; any other one is closed.
    pub fn release<T>(
        &self,
        lease: Lease<'_>,
        answer: Result<Result<T, Error>, Elapsed>,
        timeout_after: Duration,
    ) -> Result<T, Error> {
        let answer = answer.unwrap_or(Err(Error::TimedOut(timeout_after)));
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
