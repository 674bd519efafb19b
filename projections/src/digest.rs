//! Content digests of read models, for comparing them before and after a rebuild.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use crate::Error;

/// A set of rows that a rebuild must reproduce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The table or view.
    pub label: String,
    /// A query of one text column that returns every row to compare.
    pub sql: String,
}

impl Digest {
    /// All columns of all rows of a table.
    pub fn of_table(table: &str) -> Self {
        Self { label: table.to_owned(), sql: format!("SELECT t::text FROM {table} t") }
    }

    /// The rows of a query of one text column.
    pub fn of_query(label: &str, sql: &str) -> Self {
        Self { label: label.to_owned(), sql: sql.to_owned() }
    }
}

/// Computes the digest of each set of rows, by label: the number of rows and two sums of 64-bit hashes over them. Sums
/// do not depend on the order of rows, so any number of rows is compared without sorting.
pub async fn compute(db: &mut PgConnection, digests: &[Digest]) -> Result<BTreeMap<String, String>, Error> {
    let mut found = BTreeMap::new();
    for digest in digests {
        let sql = format!(
            "SELECT count(*) || ' rows ' || coalesce(sum(hashtextextended(line, 1)), 0)
                 || ' ' || coalesce(sum(hashtextextended(line, 2)), 0)
             FROM ({}) AS x (line)",
            digest.sql
        );
        let text: String = sqlx::query_scalar(&sql).fetch_one(&mut *db).await?;
        found.insert(digest.label.clone(), text);
    }
    Ok(found)
}
