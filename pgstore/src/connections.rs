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
const MOST: usize = 8;
/// How long a connection may be idle before it is asked whether it is still there.
const ASKED_AFTER: Duration = Duration::from_secs(1);

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
pub struct Taken<'a> {
    /// The connection.
    pub db: PgConnection,
    _permit: SemaphorePermit<'a>,
}

impl Connections {
    /// Connects nothing yet.
    pub fn new(options: PgConnectOptions) -> Self {
        Self { options, idle: Mutex::default(), free: Semaphore::new(MOST) }
    }

    /// How connections are made.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Returns a connection that answers, at most after `patience`.
    pub async fn take(&self, patience: Duration) -> Result<Taken<'_>, Error> {
        let taken = async {
            let permit = self.free.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
            loop {
                let Some(mut idle) = self.pop() else { break };
                if idle.since.elapsed() < ASKED_AFTER || idle.db.ping().await.is_ok() {
                    return Ok(Taken { db: idle.db, _permit: permit });
                }
            }
            let mut db = PgConnection::connect_with(&self.options).await?;
            rows::make_ready(&mut db).await;
            Ok(Taken { db, _permit: permit })
        };
        timeout(patience, taken).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(Error::Unreached)
    }

    /// Keeps a connection on which everything was answered, and returns the answer; any other one is closed.
    pub fn give_back<T>(
        &self,
        taken: Taken<'_>,
        answer: Result<Result<T, Error>, Elapsed>,
        patience: Duration,
    ) -> Result<T, Error> {
        let answer = answer.unwrap_or(Err(Error::Late(patience)));
        if answer.as_ref().err().is_none_or(Error::leaves_the_connection) {
            let idle = Idle { db: taken.db, since: Instant::now() };
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
        }
        answer
    }

    fn pop(&self) -> Option<Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}
