//! Queries of rules and templates. Retired ones are not listed, only found by id.

use uuid::Uuid;

use super::{RuleRow, TemplateRow};
use crate::paging::Order;
use crate::{Error, Page, Paging, Reader};

/// Filters a list of rules; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleFilter {
    /// `device`, `asset` or `space`.
    pub entity_type: Option<String>,
    /// Rules that name this entity.
    pub entity_id: Option<Uuid>,
    /// Active, or not.
    pub is_active: Option<bool>,
}

/// Filters a list of templates; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplateFilter {
    /// `THRESHOLD_BREACH`, `DEVICE_OFFLINE` or `MANUAL`.
    pub trigger_event_type: Option<String>,
    /// For this activity type.
    pub activity_type_id: Option<Uuid>,
}

/// Lists rules by name.
pub async fn rules(
    reader: &Reader,
    organization: Uuid,
    filter: &RuleFilter,
    paging: Paging,
) -> Result<Page<RuleRow>, Error> {
    let list = "SELECT * FROM threshold_rules WHERE organization_id = $1 AND NOT retired
            AND ($2::text IS NULL OR entity_type = $2) AND ($3::uuid IS NULL OR entity_id = $3)
            AND ($4::boolean IS NULL OR is_active = $4)";
    let page = reader.page("threshold_rules", list, Order::NAME, paging, |query| {
        query.bind(organization).bind(filter.entity_type.clone()).bind(filter.entity_id).bind(filter.is_active)
    });
    page.await
}

/// Returns a rule, retired or not.
pub async fn rule(reader: &Reader, organization: Uuid, id: Uuid) -> Result<Option<RuleRow>, Error> {
    let sql = "SELECT to_jsonb(t) FROM threshold_rules t WHERE organization_id = $1 AND id = $2";
    reader.row("threshold_rules", sqlx::query_scalar(sql).bind(organization).bind(id)).await
}

/// Lists templates by name.
pub async fn templates(
    reader: &Reader,
    organization: Uuid,
    filter: &TemplateFilter,
    paging: Paging,
) -> Result<Page<TemplateRow>, Error> {
    let list = "SELECT * FROM activity_templates WHERE organization_id = $1 AND NOT retired
            AND ($2::text IS NULL OR trigger_event_type = $2) AND ($3::uuid IS NULL OR activity_type_id = $3)";
    let page = reader.page("activity_templates", list, Order::NAME, paging, |query| {
        query.bind(organization).bind(filter.trigger_event_type.clone()).bind(filter.activity_type_id)
    });
    page.await
}

/// Returns a template, retired or not.
pub async fn template(reader: &Reader, organization: Uuid, id: Uuid) -> Result<Option<TemplateRow>, Error> {
    let sql = "SELECT to_jsonb(t) FROM activity_templates t WHERE organization_id = $1 AND id = $2";
    reader.row("activity_templates", sqlx::query_scalar(sql).bind(organization).bind(id)).await
}
