//! Queries of the catalogue.

use uuid::Uuid;

use super::row::{EntryRow, StoredDefinition};
use crate::paging::Order;
use crate::{Error, Page, Paging, Reader};

/// Lists entries of a kind by name; with `retired`, also retired ones.
pub async fn list<D: StoredDefinition>(
    reader: &Reader,
    organization: Uuid,
    retired: bool,
    paging: Paging,
) -> Result<Page<EntryRow<D>>, Error> {
    let list = format!("SELECT * FROM {} WHERE organization_id = $1 AND ($2 OR NOT retired)", D::TABLE);
    reader.page(D::TABLE, &list, Order::NAME, paging, |query| query.bind(organization).bind(retired)).await
}

/// Returns an entry.
pub async fn get<D: StoredDefinition>(
    reader: &Reader,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<EntryRow<D>>, Error> {
    let sql = format!("SELECT to_jsonb(t) FROM {} t WHERE organization_id = $1 AND id = $2", D::TABLE);
    reader.row(D::TABLE, sqlx::query_scalar(&sql).bind(organization).bind(id)).await
}
