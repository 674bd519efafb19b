//! What a read model holds, as a short text that is equal when the content is: for comparing before and after a rebuild.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use crate::Error;

/// A set of rows that a rebuild must bring back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// What it is of: a table or view.
    pub label: String,
    /// A query of one text column, a row for each row that counts.
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

/// The digest of each set of rows by its label: the number of rows and two sums of 64-bit hashes over them, which do not
/// depend on the order and need no memory, however many rows there are.
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
