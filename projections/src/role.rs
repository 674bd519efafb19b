//! The role `project`: runs read models until it is told to stop. What does not live here: the live feed, which the api
//! role runs, and rebuilding, which `replay` does.

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
use crate::ownership::{Owner, SILENCE, writer_options};
use crate::registry::{Entry, Storage, Upkeep, select};
use crate::runner::{Runner, consume_settings};
use crate::{Error, RedisServer, checkpoint, migrations, privileges};

/// How often it is looked whether a rebuild began elsewhere.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often it is looked what upkeep is due, and how long it is left alone after a failure.
const KEEP_UP_EVERY: Duration = Duration::from_secs(10);
const REST: Duration = Duration::from_secs(60);
/// How long upkeep waits for a table that somebody reads: while it waits, nobody else begins to read it.
const WAITS: &str = "2s";

/// How long the database may take to tell.
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

/// What the role is to do.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Names of read models; all of them when absent.
    pub only: Option<Vec<String>>,
}

/// Brings the schema up to date and grants what the roles of PostgreSQL need. Several processes may do so at once.
pub async fn migrate(database_url: &str) -> Result<(), Error> {
    let mut db = PgConnection::connect(database_url).await.map_err(Error::Connect)?;
    Migrator::new(migrations::Embedded).await?.run(&mut db).await?;
    privileges::grant(&mut db).await?;
    db.close().await?;
    Ok(())
}

/// Runs read models until `shutdown`. Errors when one of them cannot go on: its checkpoint does not fit the log, or what
/// it has not read yet is gone.
pub async fn run(deps: Deps, config: Config, shutdown: CancellationToken) -> Result<(), Error> {
    let entries = select(config.only.as_deref())?;
    let options = writer_options(&deps.database_url)?;
    let watch = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    let store = Store::connect(&deps.redis).await?;
    let all = shutdown.child_token();
    let mut running = JoinSet::new();
    for entry in entries {
        let keeper = Keeper {
            entry,
            log: deps.log.clone(),
            options: options.clone(),
            watch: watch.clone(),
            store: store.clone(),
            shutdown: all.clone(),
        };
        running.spawn(keeper.keep());
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

struct Keeper {
    entry: Entry,
    log: Log,
    options: PgConnectOptions,
    watch: PgPool,
    store: Store,
    shutdown: CancellationToken,
}

impl Keeper {
    /// Runs one read model whenever it is this process's turn.
    async fn keep(self) -> Result<(), Error> {
        loop {
            let Some(mut owner) = Owner::acquire(&self.options, self.entry.name, &self.shutdown).await else {
                return Ok(());
            };
            let Ok(generation) = self.generation().await else { continue };
            let (turn, lost) = (self.shutdown.child_token(), owner.lost());
            let ended = tokio::select! {
                ended = self.consume(&mut owner, turn.clone()) => ended,
                never = self.watch_generation(generation, &turn) => match never {},
                never = self.keep_up() => match never {},
                // What was under way is given up: whoever has the projection now reads it again.
                () = lost.cancelled() => Ok(()),
            };
            owner.release().await;
            match ended {
                Ok(()) if self.shutdown.is_cancelled() => return Ok(()),
                Ok(()) if lost.is_cancelled() => warn!(projection = self.entry.name, "is another's now, or nobody's"),
                Ok(()) => info!(projection = self.entry.name, "gives way to a rebuild"),
                Err(consumer::Error::Stopped { reason, .. }) => warn!(projection = self.entry.name, reason, "stops"),
                Err(error @ consumer::Error::Resume { .. }) => {
                    warn!(projection = self.entry.name, error = error_chain(&error), "cannot resume yet");
                }
                Err(error) => {
                    return Err(Error::Log { name: self.entry.name.to_owned(), source: error.into() });
                }
            }
            // Whatever it was, it is not over at once; a rebuild goes first anyway.
            self.shutdown.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
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

    /// Does what is due beside the writing, as long as the turn lasts. What fails is tried again the next time.
    async fn keep_up(&self) -> Infallible {
        let Some(upkeep) = self.entry.upkeep else { return std::future::pending().await };
        loop {
            let pause = match self.keep_up_once(upkeep).await {
                Ok(()) => KEEP_UP_EVERY,
                Err(error) => {
                    warn!(projection = self.entry.name, error = error_chain(&error), "upkeep waits");
                    REST
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn keep_up_once(&self, upkeep: Upkeep) -> Result<(), Error> {
        // The upkeep has a lock as well: a process that stands still does not keep it.
        let options = self.options.clone().options([("lock_timeout", WAITS), ("idle_session_timeout", SILENCE)]);
        let mut db = PgConnection::connect_with(&options).await.map_err(Error::Connect)?;
        while upkeep(&mut db).await? {}
        Ok(db.close().await?)
    }

    /// Ends the turn when a rebuild began, also while there is nothing to do.
    async fn watch_generation(&self, begun: i64, turn: &CancellationToken) -> Infallible {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            // When the database is gone, the consumer notices by itself.
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
