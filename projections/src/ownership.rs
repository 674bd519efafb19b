//! Who runs a projection: the holder of an advisory lock, on the connection that also writes. Others stand by. The lock
//! spares two processes from working against each other; what makes a stale owner harmless is the fence of the
//! checkpoint.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::Error;

/// How long somebody who stands by waits until the next attempt.
const STAND_BY: Duration = Duration::from_millis(500);

/// The right to write one projection, and the connection to do it with.
pub struct Owner {
    options: PgConnectOptions,
    name: &'static str,
    db: Option<PgConnection>,
}

impl Owner {
    /// Waits until the projection is free and takes it; none when the shutdown comes first. An unreachable database is
    /// tried again.
    pub async fn acquire(options: &PgConnectOptions, name: &'static str, shutdown: &CancellationToken) -> Option<Self> {
        let mut stood_by = false;
        loop {
            match lock(options, name).await {
                Ok(Some(db)) => {
                    if stood_by {
                        info!(projection = name, "takes over");
                    }
                    return Some(Self { options: options.clone(), name, db: Some(db) });
                }
                Ok(None) if !stood_by => {
                    info!(projection = name, "stands by: another process runs it");
                    stood_by = true;
                }
                Ok(None) => {}
                Err(error) => warn!(projection = name, error = &error as &dyn std::error::Error, "cannot start yet"),
            }
            shutdown.run_until_cancelled(tokio::time::sleep(STAND_BY)).await?;
        }
    }

    /// Returns the connection; after a failure a new one, if the projection is still free.
    pub async fn db(&mut self) -> Result<&mut PgConnection, Error> {
        if self.db.is_none() {
            self.db = lock(&self.options, self.name).await?;
        }
        self.db.as_mut().ok_or_else(|| Error::Fenced(self.name.to_owned()))
    }

    /// Gives the connection up after a failure: what it was doing ends without effect.
    pub fn drop_connection(&mut self) {
        self.db = None;
    }

    /// Gives the projection back at once.
    pub async fn release(mut self) {
        if let Some(db) = self.db.take()
            && let Err(error) = db.close().await
        {
            warn!(projection = self.name, error = &error as &dyn std::error::Error, "left without a word");
        }
    }
}

/// Returns the options of connections that write read models. A commit does not wait for the disk: after a crash of the
/// database the checkpoint is as old as the rows, and the log gives the rest again.
pub fn writer_options(url: &str) -> Result<PgConnectOptions, Error> {
    let options = PgConnectOptions::from_str(url).map_err(Error::Connect)?;
    Ok(options
        .application_name("argusiq-project")
        .options([("synchronous_commit", "off"), ("timezone", "UTC"), ("jit", "off")])
        .log_slow_statements(tracing::log::LevelFilter::Debug, Duration::from_secs(5)))
}

async fn lock(options: &PgConnectOptions, name: &str) -> Result<Option<PgConnection>, Error> {
    let mut db = options.connect().await.map_err(Error::Connect)?;
    let held: bool =
        sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended('argusiq.projection.' || $1, 0))")
            .bind(name)
            .fetch_one(&mut db)
            .await?;
    Ok(held.then_some(db))
}
