//! The rows of one table that a batch of events touches: loaded by key, changed by a pure fold, stored again. What an
//! event changes is decided in each read model's `fold`.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;

/// A row of a table; its field names are the column names.
pub trait Row: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync + 'static {
    /// The table.
    const TABLE: &'static str;
    /// The primary-key column.
    const KEY: &'static str = "id";
    /// Returns the primary key.
    fn key(&self) -> Uuid;
}

/// The rows of one table that a batch has loaded.
#[derive(Clone, Debug)]
pub struct RowBatch<R> {
    /// Keys of rows to load.
    requested: BTreeSet<Uuid>,
    rows: BTreeMap<Uuid, R>,
    /// Keys of rows to store, removed ones included.
    changed: BTreeSet<Uuid>,
}

impl<R> Default for RowBatch<R> {
    fn default() -> Self {
        Self { requested: BTreeSet::new(), rows: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

impl<R: Row> RowBatch<R> {
    /// Marks a row to be loaded before the fold runs.
    pub fn request(&mut self, key: Uuid) {
        self.requested.insert(key);
    }

    /// Returns a row, if the table or the fold has one with this key.
    pub fn get(&self, key: Uuid) -> Option<&R> {
        self.rows.get(&key)
    }

    /// Lists the loaded rows in key order.
    pub fn iter(&self) -> impl Iterator<Item = &R> {
        self.rows.values()
    }

    /// Inserts a row, or replaces the one with the same key.
    pub fn upsert(&mut self, row: R) {
        let key = row.key();
        // An unchanged row is not written: replayed events then cost no update.
        if self.rows.get(&key) != Some(&row) {
            self.rows.insert(key, row);
            self.changed.insert(key);
        }
    }

    /// Removes a row.
    pub fn remove(&mut self, key: Uuid) {
        if self.rows.remove(&key).is_some() {
            self.changed.insert(key);
        }
    }

    /// Changes a row; does nothing if there is none with this key.
    pub fn update(&mut self, key: Uuid, change: impl FnOnce(&mut R)) {
        if let Some(row) = self.rows.get(&key) {
            let mut next = row.clone();
            change(&mut next);
            self.upsert(next);
        }
    }

    /// Loads the rows that match a condition on the table alias `t`, in addition to those requested by key. `$1` is
    /// bound to `texts`.
    pub async fn load_where(&mut self, db: &mut PgConnection, condition: &str, texts: &[String]) -> Result<(), Error> {
        let sql = format!("SELECT to_jsonb(t) FROM {} t WHERE {condition}", R::TABLE);
        let rows: Vec<Value> = sqlx::query_scalar(&sql).bind(texts).fetch_all(db).await?;
        self.add_loaded(rows)
    }

    fn add_loaded(&mut self, rows: Vec<Value>) -> Result<(), Error> {
        for row in rows {
            let row: R = serde_json::from_value(row).map_err(|source| Error::Row { table: R::TABLE, source })?;
            self.rows.entry(row.key()).or_insert(row);
        }
        Ok(())
    }

    async fn load_requested(&mut self, db: &mut PgConnection) -> Result<(), Error> {
        let keys: Vec<Uuid> = std::mem::take(&mut self.requested).into_iter().collect();
        if keys.is_empty() {
            return Ok(());
        }
        let sql = format!("SELECT to_jsonb(t) FROM {} t WHERE {} = ANY($1)", R::TABLE, R::KEY);
        let rows: Vec<Value> = sqlx::query_scalar(&sql).bind(&keys).fetch_all(db).await?;
        self.add_loaded(rows)
    }

    async fn store_changed(&mut self, db: &mut PgConnection) -> Result<(), Error> {
        let keys: Vec<Uuid> = std::mem::take(&mut self.changed).into_iter().collect();
        if keys.is_empty() {
            return Ok(());
        }
        let sql = format!("DELETE FROM {} WHERE {} = ANY($1)", R::TABLE, R::KEY);
        sqlx::query(&sql).bind(&keys).execute(&mut *db).await?;
        let rows: Vec<&R> = keys.iter().filter_map(|key| self.rows.get(key)).collect();
        append(db, R::TABLE, &rows).await
    }
}

/// A row batch of any row type, so that a read model can list the batches of all its tables.
pub trait AnyRowBatch: Send {
    /// Loads the requested rows.
    fn load<'a>(&'a mut self, db: &'a mut PgConnection) -> BoxFuture<'a, Result<(), Error>>;
    /// Stores the changed rows.
    fn store<'a>(&'a mut self, db: &'a mut PgConnection) -> BoxFuture<'a, Result<(), Error>>;
}

impl<R: Row> AnyRowBatch for RowBatch<R> {
    fn load<'a>(&'a mut self, db: &'a mut PgConnection) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.load_requested(db))
    }

    fn store<'a>(&'a mut self, db: &'a mut PgConnection) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.store_changed(db))
    }
}

/// Inserts rows into a table and skips those whose key exists already. Field names are the column names.
pub async fn append<R: Serialize>(db: &mut PgConnection, table: &'static str, rows: &[R]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = serde_json::to_value(rows).map_err(|source| Error::Row { table, source })?;
    let sql =
        format!("INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, $1) ON CONFLICT DO NOTHING");
    sqlx::query(&sql).bind(rows).execute(db).await?;
    Ok(())
}
