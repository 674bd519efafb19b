//! The installation's id as stored in PostgreSQL and in Redis. Callers compare the two to detect servers that belong to
//! different installations.

use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use sqlx::{Connection, PgConnection};

use crate::{Error, RedisServer};

/// Reads and writes the id in both servers.
pub struct InstallationIds {
    database_url: String,
    redis: ConnectionManager,
    key: String,
}

impl InstallationIds {
    /// Connects; errors if Redis does not answer.
    pub async fn connect(database_url: &str, redis: &RedisServer) -> Result<Self, Error> {
        let key = format!("{}installation", redis.key_prefix);
        Ok(Self { database_url: database_url.to_owned(), redis: redis.connect().await?, key })
    }

    /// Returns the ids in PostgreSQL and in Redis. An id is absent if it was never set, or if the schema has not been
    /// migrated yet.
    pub async fn read(&self) -> Result<(Option<String>, Option<String>), Error> {
        let mut db = PgConnection::connect(&self.database_url).await.map_err(Error::Connect)?;
        let is_migrated: bool =
            sqlx::query_scalar("SELECT to_regclass('installation') IS NOT NULL").fetch_one(&mut db).await?;
        let in_postgres = match is_migrated {
            true => sqlx::query_scalar("SELECT id FROM installation").fetch_optional(&mut db).await?,
            false => None,
        };
        db.close().await?;
        Ok((in_postgres, self.redis.clone().get(&self.key).await?))
    }

    /// Stores the id in each server that has none.
    pub async fn set(&self, id: &str) -> Result<(), Error> {
        let mut db = PgConnection::connect(&self.database_url).await.map_err(Error::Connect)?;
        sqlx::query("INSERT INTO installation (id) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(id)
            .execute(&mut db)
            .await?;
        db.close().await?;
        let _: bool = self.redis.clone().set_nx(&self.key, id).await?;
        Ok(())
    }
}
