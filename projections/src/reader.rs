//! The connections of the reading side, running queries on them, and waiting until a projection has applied a position.
//! The queries are in each read model's `read`.

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

/// How often a waiting reader polls the position.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// How long a query may wait for a connection.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What read functions need; cheap to clone.
#[derive(Clone)]
pub struct Reader {
    /// The database.
    pub pool: PgPool,
    /// Redis, which holds the latest values.
    pub redis: ConnectionManager,
    /// The prefix of every key in Redis.
    pub key_prefix: String,
    /// A connection of its own for health checks, since all pooled connections may be busy. A connection that failed a
    /// check is not reused.
    watch: Arc<Mutex<Option<PgConnection>>>,
}

/// Why waiting for a position failed.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// The projection did not reach the position in time.
    #[error("{projection} is at {position} of {stream} and did not reach {wanted} in time")]
    Timeout {
        /// The projection.
        projection: String,
        /// The stream.
        stream: Stream,
        /// The position it has reached.
        position: i64,
        /// The position waited for.
        wanted: u64,
    },
    /// The position cannot be read.
    #[error("cannot read the position of the projection")]
    Position(#[from] Error),
}

impl Reader {
    /// Connects; errors if either server does not answer within five seconds.
    pub async fn connect(database_url: &str, redis: &RedisServer) -> Result<Self, Error> {
        let options: PgConnectOptions = database_url.parse().map_err(Error::Connect)?;
        // Lists have optional filters, most of them absent. A generic plan would have to serve every combination and
        // scan whole tables, so each call is planned with its own parameters.
        let planned = [("timezone", "UTC"), ("jit", "off"), ("plan_cache_mode", "force_custom_plan")];
        let options = options.application_name("argusiq-read").options(planned);
        let limits = PgPoolOptions::new().max_connections(16).acquire_timeout(TIMEOUT).after_release(|db, _| {
            // A query may have been cancelled because the database hung: do not return such a connection to the pool.
            Box::pin(async move { Ok(tokio::time::timeout(TIMEOUT, db.ping()).await.is_ok_and(|pong| pong.is_ok())) })
        });
        let pool = limits.connect_with(options).await.map_err(Error::Connect)?;
        let (key_prefix, redis) = (redis.key_prefix.clone(), redis.connect().await?);
        Ok(Self { pool, redis, key_prefix, watch: Arc::default() })
    }

    /// Waits until a projection has applied a position of a stream, so that a caller can read its own writes.
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
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Returns the position up to which a projection has applied a stream, 0 if it never ran.
    pub async fn position(&self, projection: &str, stream: Stream) -> Result<i64, Error> {
        let sql = "SELECT coalesce(max(position), 0) FROM projection_checkpoint WHERE name = $1 AND stream = $2";
        Ok(sqlx::query_scalar(sql).bind(projection).bind(stream.name()).fetch_one(&self.pool).await?)
    }

    /// Errors if either server does not answer.
    pub async fn ping(&self) -> Result<(), Error> {
        self.ping_database().await?;
        self.ping_redis().await
    }

    /// Errors if the database does not answer, on a connection that no query uses.
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

    /// Errors if Redis does not answer.
    pub async fn ping_redis(&self) -> Result<(), Error> {
        let _: String = redis::cmd("PING").query_async(&mut self.redis.clone()).await?;
        Ok(())
    }

    /// Runs a query that returns each row as one JSON column.
    pub(crate) async fn rows<T: DeserializeOwned>(
        &self,
        table: &'static str,
        query: QueryScalar<'_, sqlx::Postgres, Value, PgArguments>,
    ) -> Result<Vec<T>, Error> {
        let rows = query.fetch_all(&self.pool).await?;
        let read = rows.into_iter().map(|row| serde_json::from_value(row));
        read.collect::<Result<_, _>>().map_err(|source| Error::Row { table, source })
    }

    /// Like `rows`, for a query that returns at most one row.
    pub(crate) async fn row<T: DeserializeOwned>(
        &self,
        table: &'static str,
        query: QueryScalar<'_, sqlx::Postgres, Value, PgArguments>,
    ) -> Result<Option<T>, Error> {
        Ok(self.rows(table, query).await?.into_iter().next())
    }

    /// Returns one page of a filtered list. `list` selects all matching rows; its filters are `$1`, `$2` …, which
    /// `bind` binds. The total is counted up to `MAX_COUNTED`.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        table: &'static str,
        list: &str,
        order: Order,
        paging: Paging,
        bind: impl for<'q> Fn(Bound<'q>) -> Bound<'q>,
    ) -> Result<Page<T>, Error> {
        let (limit, offset, by) = (paging.limit(), paging.offset(), order.by());
        // One extra row shows whether there is a next page.
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
