//! The role `project`: runs read models until shutdown. The live feed is run by the role `api`; rebuilding is
//! `replay`'s.

use std::convert::Infallible;
use std::time::Duration;

use eventlog::{Log, consumer, error_chain};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::latest_telemetry::{self, LatestTelemetry, Store};
use crate::ownership::{IDLE_TIMEOUT, Owner, writer_options};
use crate::registry::{Entry, Storage, Upkeep, select};
use crate::runner::{Runner, consume_settings};
use crate::{Error, RedisServer, checkpoint, migrations, privileges};

/// How often to check whether a rebuild has begun elsewhere, and the pause before the next turn.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How often to run upkeep, and how long to back off after a failure.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(10);
const UPKEEP_BACKOFF: Duration = Duration::from_secs(60);
/// How long upkeep waits for a table lock. While it waits for an exclusive lock, new readers of the table queue behind
/// it.
const UPKEEP_LOCK_TIMEOUT: &str = "2s";

/// How long the database may take to return the generation.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What the role needs.
#[derive(Clone)]
pub struct Deps {
    /// The log.
    pub log: Log,
    /// The database, `postgres://…`.
    pub database_url: String,
    /// Redis.
    pub redis: RedisServer,
}

/// The configuration of the role.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Names of the read models to run; all when absent.
    pub only: Option<Vec<String>>,
}

/// Applies pending migrations and grants the PostgreSQL roles their privileges. Safe to run from several processes at
/// once.
pub async fn migrate(database_url: &str) -> Result<(), Error> {
    let mut db = PgConnection::connect(database_url).await.map_err(Error::Connect)?;
    Migrator::new(migrations::Embedded).await?.run(&mut db).await?;
    privileges::grant(&mut db).await?;
    db.close().await?;
    Ok(())
}

/// Runs read models until `shutdown`. Errors if one of them cannot continue: its checkpoint does not fit the log, or
/// messages that it has not read are gone.
pub async fn run(deps: Deps, config: Config, shutdown: CancellationToken) -> Result<(), Error> {
    let entries = select(config.only.as_deref())?;
    let options = writer_options(&deps.database_url)?;
    let watch = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    let store = Store::connect(&deps.redis).await?;
    let all = shutdown.child_token();
    let mut running = JoinSet::new();
    for entry in entries {
        let supervisor = Supervisor {
            entry,
            log: deps.log.clone(),
            options: options.clone(),
            watch: watch.clone(),
            store: store.clone(),
            shutdown: all.clone(),
        };
        running.spawn(supervisor.run());
    }
    let mut result = Ok(());
    while let Some(ended) = running.join_next().await {
        let ended = ended.unwrap_or_else(|panic| Err(Error::Panicked(panic)));
        if ended.is_err() && result.is_ok() {
            result = ended;
            all.cancel();
        }
    }
    watch.close().await;
    result
}

/// Runs one read model.
struct Supervisor {
    entry: Entry,
    log: Log,
    options: PgConnectOptions,
    watch: PgPool,
    store: Store,
    shutdown: CancellationToken,
}

impl Supervisor {
    /// Runs the read model whenever this process owns it, until shutdown.
    async fn run(self) -> Result<(), Error> {
        loop {
            let Some(mut owner) = Owner::acquire(&self.options, self.entry.name, &self.shutdown).await else {
                return Ok(());
            };
            let Ok(generation) = self.generation().await else { continue };
            let (turn, lost) = (self.shutdown.child_token(), owner.lost());
            let ended = tokio::select! {
                ended = self.consume(&mut owner, turn.clone()) => ended,
                never = self.watch_generation(generation, &turn) => match never {},
                never = self.run_upkeep() => match never {},
                // The batch in flight is dropped: the new owner reads it again from the checkpoint.
                () = lost.cancelled() => Ok(()),
            };
            owner.release().await;
            match ended {
                Ok(()) if self.shutdown.is_cancelled() => return Ok(()),
                Ok(()) if lost.is_cancelled() => warn!(projection = self.entry.name, "ownership lost"),
                Ok(()) => info!(projection = self.entry.name, "stopped for a rebuild"),
                Err(consumer::Error::Stopped { reason, .. }) => warn!(projection = self.entry.name, reason, "stopped"),
                Err(error @ consumer::Error::Resume { .. }) => {
                    warn!(projection = self.entry.name, error = error_chain(&error), "cannot resume yet");
                }
                Err(error) => {
                    return Err(Error::Log { name: self.entry.name.to_owned(), source: error.into() });
                }
            }
            // Avoids a busy loop while the cause lasts; a rebuild acquires with priority, so the pause does not delay
            // it.
            self.shutdown.run_until_cancelled(tokio::time::sleep(POLL_INTERVAL)).await;
        }
    }

    async fn consume(&self, owner: &mut Owner, turn: CancellationToken) -> Result<(), consumer::Error> {
        match self.entry.storage {
            Storage::Postgres(make) => {
                let mut projection = make();
                let pace = consume_settings(projection.batch_limits());
                eventlog::run(&self.log, Runner::new(projection.as_mut(), owner), pace, turn).await
            }
            Storage::Redis => {
                let latest = LatestTelemetry::new(self.store.clone(), owner);
                eventlog::run(&self.log, latest, consume_settings(latest_telemetry::BATCH_LIMITS), turn).await
            }
        }
    }

    /// Runs upkeep at intervals. A failure is logged and retried after `UPKEEP_BACKOFF`.
    async fn run_upkeep(&self) -> Infallible {
        let Some(upkeep) = self.entry.upkeep else { return std::future::pending().await };
        loop {
            let pause = match self.run_upkeep_once(upkeep).await {
                Ok(()) => UPKEEP_INTERVAL,
                Err(error) => {
                    warn!(projection = self.entry.name, error = error_chain(&error), "upkeep failed; will retry");
                    UPKEEP_BACKOFF
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn run_upkeep_once(&self, upkeep: Upkeep) -> Result<(), Error> {
        // Upkeep takes an advisory lock; the idle timeout releases it if this process hangs.
        let options = self
            .options
            .clone()
            .options([("lock_timeout", UPKEEP_LOCK_TIMEOUT), ("idle_session_timeout", IDLE_TIMEOUT)]);
        let mut db = PgConnection::connect_with(&options).await.map_err(Error::Connect)?;
        while upkeep(&mut db).await? {}
        Ok(db.close().await?)
    }

    /// Ends the turn when a rebuild has begun, even if no messages arrive.
    async fn watch_generation(&self, begun: i64, turn: &CancellationToken) -> Infallible {
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            // An error is ignored: if the database is unreachable, the consumer reports it.
            if self.generation().await.is_ok_and(|now| now != begun) {
                turn.cancel();
            }
        }
    }

    async fn generation(&self) -> Result<i64, Error> {
        let asking = async {
            let mut db = self.watch.acquire().await?;
            checkpoint::generation(&mut db, self.entry.name).await
        };
        tokio::time::timeout(TIMEOUT, asking).await.unwrap_or(Err(Error::Timeout(TIMEOUT.as_secs())))
    }
}
