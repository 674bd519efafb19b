//! The rows of one table that a batch touches: loaded by key, changed by a pure fold, stored again. What does not live
//! here: what a change is; that is each read model's fold.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;

/// A row of a table, with the table's column names as field names.
pub trait Row: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync + 'static {
    /// The table.
    const TABLE: &'static str;
    /// Its key column.
    const KEY: &'static str = "id";
    /// Returns its key.
    fn key(&self) -> Uuid;
}

/// The rows of one table in hand.
#[derive(Clone, Debug)]
pub struct Sheet<R> {
    wanted: BTreeSet<Uuid>,
    rows: BTreeMap<Uuid, R>,
    changed: BTreeSet<Uuid>,
}

impl<R> Default for Sheet<R> {
    fn default() -> Self {
        Self { wanted: BTreeSet::new(), rows: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

impl<R: Row> Sheet<R> {
    /// Notes that the row of this key will be looked at.
    pub fn want(&mut self, key: Uuid) {
        self.wanted.insert(key);
    }

    /// Returns a row.
    pub fn get(&self, key: Uuid) -> Option<&R> {
        self.rows.get(&key)
    }

    /// Lists the rows in hand by key.
    pub fn rows(&self) -> impl Iterator<Item = &R> {
        self.rows.values()
    }

    /// Adds a row, or replaces the one of its key.
    pub fn put(&mut self, row: R) {
        let key = row.key();
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

    /// Changes a row, where there is one.
    pub fn change(&mut self, key: Uuid, change: impl FnOnce(&mut R)) {
        if let Some(row) = self.rows.get(&key) {
            let mut next = row.clone();
            change(&mut next);
            self.put(next);
        }
    }

    /// Loads rows that match a condition on the table `t`, beside those wanted by key. `$1` is the list of texts.
    pub async fn load_where(&mut self, db: &mut PgConnection, condition: &str, texts: &[String]) -> Result<(), Error> {
        let sql = format!("SELECT to_jsonb(t) FROM {} t WHERE {condition}", R::TABLE);
        let rows: Vec<Value> = sqlx::query_scalar(&sql).bind(texts).fetch_all(db).await?;
        self.take(rows)
    }

    fn take(&mut self, rows: Vec<Value>) -> Result<(), Error> {
        for row in rows {
            let row: R = serde_json::from_value(row).map_err(|source| Error::Row { table: R::TABLE, source })?;
            self.rows.entry(row.key()).or_insert(row);
        }
        Ok(())
    }

    async fn load_wanted(&mut self, db: &mut PgConnection) -> Result<(), Error> {
        let keys: Vec<Uuid> = std::mem::take(&mut self.wanted).into_iter().collect();
        if keys.is_empty() {
            return Ok(());
        }
        let sql = format!("SELECT to_jsonb(t) FROM {} t WHERE {} = ANY($1)", R::TABLE, R::KEY);
        let rows: Vec<Value> = sqlx::query_scalar(&sql).bind(&keys).fetch_all(db).await?;
        self.take(rows)
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

/// What several sheets of one read model have in common.
pub trait AnySheet: Send {
    /// Loads the wanted rows.
    fn load<'a>(&'a mut self, db: &'a mut PgConnection) -> BoxFuture<'a, Result<(), Error>>;
    /// Stores the changed rows.
    fn store<'a>(&'a mut self, db: &'a mut PgConnection) -> BoxFuture<'a, Result<(), Error>>;
}

impl<R: Row> AnySheet for Sheet<R> {
    fn load<'a>(&'a mut self, db: &'a mut PgConnection) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.load_wanted(db))
    }

    fn store<'a>(&'a mut self, db: &'a mut PgConnection) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.store_changed(db))
    }
}

/// Adds rows to a table; a row whose key is there already is left out. Field names are the column names.
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
