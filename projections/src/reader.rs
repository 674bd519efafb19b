//! The reading side's connections, and waiting until a projection has seen a position. What does not live here: the
//! queries; each read model has its own `read`.

use std::sync::Arc;
use std::time::Duration;

use eventlog::Stream;
use redis::aio::ConnectionManager;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions};
use sqlx::query::QueryScalar;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::paging::{MAX_COUNTED, Order};
use crate::sql_values::to_bigint;
use crate::{Error, Page, Paging, RedisServer};

/// How often a waiting reader looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How long a query may wait for a connection.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Everything that read functions need; cheap to clone.
#[derive(Clone)]
pub struct Reader {
    /// The database.
    pub pool: PgPool,
    /// The latest values.
    pub redis: ConnectionManager,
    /// What every key in Redis begins with.
    pub key_prefix: String,
    /// One more connection to the database, to ask whether it answers: the others may all be waiting. One that did not
    /// answer is never asked again.
    watch: Arc<Mutex<Option<PgConnection>>>,
}

/// Why waiting for a position ended without it.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// It is still behind.
    #[error("{projection} is at {position} of {stream} and did not reach {wanted} in time")]
    Timeout {
        /// The projection.
        projection: String,
        /// The stream.
        stream: Stream,
        /// Where it is.
        position: i64,
        /// Where it should be.
        wanted: u64,
    },
    /// It could not be asked.
    #[error("cannot ask how far the projection is")]
    Position(#[from] Error),
}

impl Reader {
    /// Connects; errors when either server does not answer within five seconds.
    pub async fn connect(database_url: &str, redis: &RedisServer) -> Result<Self, Error> {
        let options: PgConnectOptions = database_url.parse().map_err(Error::Connect)?;
        // Lists have filters that are mostly absent: a plan that serves all of them reads whole tables for one of them.
        let planned = [("timezone", "UTC"), ("jit", "off"), ("plan_cache_mode", "force_custom_plan")];
        let options = options.application_name("argusiq-read").options(planned);
        let limits = PgPoolOptions::new().max_connections(16).acquire_timeout(TIMEOUT).after_release(|db, _| {
            // A query may have been given up because the database was silent: such a connection must not stay for ever.
            Box::pin(async move { Ok(tokio::time::timeout(TIMEOUT, db.ping()).await.is_ok_and(|pong| pong.is_ok())) })
        });
        let pool = limits.connect_with(options).await.map_err(Error::Connect)?;
        let (key_prefix, redis) = (redis.key_prefix.clone(), redis.connect().await?);
        Ok(Self { pool, redis, key_prefix, watch: Arc::default() })
    }

    /// Waits until a projection has applied a position of a stream: a reader then sees what its own command did.
    pub async fn wait_for(
        &self,
        projection: &str,
        stream: Stream,
        position: u64,
        deadline: Duration,
    ) -> Result<(), WaitError> {
        let until = Instant::now() + deadline;
        loop {
            let at = self.position(projection, stream).await?;
            if at >= to_bigint(position) {
                return Ok(());
            }
            if Instant::now() >= until {
                let projection = projection.to_owned();
                return Err(WaitError::Timeout { projection, stream, position: at, wanted: position });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Returns how far a projection has read a stream, 0 for one that never ran.
    pub async fn position(&self, projection: &str, stream: Stream) -> Result<i64, Error> {
        let sql = "SELECT coalesce(max(position), 0) FROM projection_checkpoint WHERE name = $1 AND stream = $2";
        Ok(sqlx::query_scalar(sql).bind(projection).bind(stream.name()).fetch_one(&self.pool).await?)
    }

    /// Tells whether both servers answer.
    pub async fn ping(&self) -> Result<(), Error> {
        self.ping_database().await?;
        self.ping_redis().await
    }

    /// Tells whether the database answers, on a connection that no query holds.
    pub async fn ping_database(&self) -> Result<(), Error> {
        let mut watch = self.watch.lock().await;
        let mut db = match watch.take() {
            Some(db) => db,
            None => self.pool.connect_options().connect().await.map_err(Error::Connect)?,
        };
        sqlx::query("SELECT 1").execute(&mut db).await?;
        *watch = Some(db);
        Ok(())
    }

    /// Tells whether Redis answers.
    pub async fn ping_redis(&self) -> Result<(), Error> {
        let _: String = redis::cmd("PING").query_async(&mut self.redis.clone()).await?;
        Ok(())
    }

    /// Runs a query whose one column is a row as JSON.
    pub(crate) async fn rows<T: DeserializeOwned>(
        &self,
        table: &'static str,
        query: QueryScalar<'_, sqlx::Postgres, Value, PgArguments>,
    ) -> Result<Vec<T>, Error> {
        let rows = query.fetch_all(&self.pool).await?;
        let read = rows.into_iter().map(|row| serde_json::from_value(row));
        read.collect::<Result<_, _>>().map_err(|source| Error::Row { table, source })
    }

    /// Runs a query like `rows` for its only row.
    pub(crate) async fn row<T: DeserializeOwned>(
        &self,
        table: &'static str,
        query: QueryScalar<'_, sqlx::Postgres, Value, PgArguments>,
    ) -> Result<Option<T>, Error> {
        Ok(self.rows(table, query).await?.into_iter().next())
    }

    /// Runs a filtered list: `list` is the select of all columns that match, with its filters as `$1`, `$2` …, which `bind`
    /// binds.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        table: &'static str,
        list: &str,
        order: Order,
        paging: Paging,
        bind: impl for<'q> Fn(Bound<'q>) -> Bound<'q>,
    ) -> Result<Page<T>, Error> {
        let (limit, offset, by) = (paging.limit(), paging.offset(), order.by());
        // One more than asked for tells whether the list goes on.
        let cut = format!("ORDER BY {by} LIMIT {} OFFSET {offset}", limit + 1);
        let mut rows: Vec<Value> = match &paging.after {
            None => {
                let part = format!("SELECT to_jsonb(x) FROM ({list} {cut}) x");
                self.rows(table, bind(sqlx::query_scalar(&part))).await?
            }
            Some(cursor) => {
                let filters = (1..).take_while(|number| list.contains(&format!("${number}"))).count();
                let behind = order.after(filters + 1, filters + 2);
                let part = format!("SELECT to_jsonb(x) FROM (SELECT * FROM ({list}) y WHERE {behind} {cut}) x");
                let (value, id) = order.bind_values(cursor)?;
                self.rows(table, bind(sqlx::query_scalar(&part)).bind(value.to_owned()).bind(id)).await?
            }
        };
        let more = rows.len() as i64 > limit;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = rows.last().filter(|_| more).and_then(|row| order.cursor_of(row));
        let came = offset + rows.len() as i64;
        let is_whole = !more && paging.after.is_none() && (offset == 0 || !rows.is_empty());
        let items: Result<Vec<T>, _> = rows.into_iter().map(serde_json::from_value).collect();
        let items = items.map_err(|source| Error::Row { table, source })?;
        if is_whole {
            return Ok(Page { items, total: came, next });
        }
        let count = format!("SELECT to_jsonb(count(*)) FROM (SELECT FROM ({list}) y LIMIT {}) x", MAX_COUNTED + 1);
        let total: Option<i64> = self.row(table, bind(sqlx::query_scalar(&count))).await?;
        Ok(Page { items, total: total.unwrap_or(0), next })
    }
}

/// A query with its filters bound.
pub(crate) type Bound<'q> = QueryScalar<'q, sqlx::Postgres, Value, PgArguments>;
