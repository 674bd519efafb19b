//! Queries of organisations, users and API keys.

use uuid::Uuid;

use super::{ApiKeyRow, OrganizationRow, UserRow};
use crate::paging::Order;
use crate::{Error, Page, Paging, Reader};

/// Lists all organisations by name.
pub async fn organizations(reader: &Reader, paging: Paging) -> Result<Page<OrganizationRow>, Error> {
    reader.page("organizations", "SELECT * FROM organizations", Order::NAME, paging, |query| query).await
}

/// Returns an organisation.
pub async fn organization(reader: &Reader, id: Uuid) -> Result<Option<OrganizationRow>, Error> {
    let sql = "SELECT to_jsonb(t) FROM organizations t WHERE id = $1";
    reader.row("organizations", sqlx::query_scalar(sql).bind(id)).await
}

/// Lists the users of an organisation in order of creation.
pub async fn users(reader: &Reader, organization: Uuid, paging: Paging) -> Result<Page<UserRow>, Error> {
    let list = "SELECT * FROM users WHERE organization_id = $1";
    reader.page("users", list, Order::oldest("created_at"), paging, |query| query.bind(organization)).await
}

/// Returns a user of an organisation.
pub async fn user(reader: &Reader, organization: Uuid, id: Uuid) -> Result<Option<UserRow>, Error> {
    let sql = "SELECT to_jsonb(t) FROM users t WHERE organization_id = $1 AND id = $2";
    reader.row("users", sqlx::query_scalar(sql).bind(organization).bind(id)).await
}

/// Lists the API keys of an organisation in order of creation.
pub async fn api_keys(reader: &Reader, organization: Uuid, paging: Paging) -> Result<Page<ApiKeyRow>, Error> {
    let list = "SELECT * FROM api_keys WHERE organization_id = $1";
    reader.page("api_keys", list, Order::oldest("created_at"), paging, |query| query.bind(organization)).await
}

/// Returns an API key of an organisation.
pub async fn api_key(reader: &Reader, organization: Uuid, id: Uuid) -> Result<Option<ApiKeyRow>, Error> {
    let sql = "SELECT to_jsonb(t) FROM api_keys t WHERE organization_id = $1 AND id = $2";
    reader.row("api_keys", sqlx::query_scalar(sql).bind(organization).bind(id)).await
}
