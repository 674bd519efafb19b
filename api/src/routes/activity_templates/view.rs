//! Activity templates in requests and responses.

use commands::Receipt;
use domain::activity_template::{ChecklistItem, TemplateDefinition};
use projections::rule_book::{NAME, TemplateRow, read};

use crate::auth::Caller;
use crate::enums::{Severity, TriggerEventType};
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// An item of the checklist.
#[derive(Debug, Object)]
#[oai(rename = "ChecklistItem", deny_unknown_fields)]
pub struct Item {
    #[oai(validator(min_length = 1, max_length = 500))]
    item: String,
    /// The activity cannot be completed until this item is checked.
    #[oai(default)]
    required: bool,
}

/// The definition of an activity template.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateRequest {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    #[oai(nullable)]
    activity_type_id: Option<Uuid>,
    /// Defaults to `MANUAL`.
    #[oai(nullable)]
    trigger_event_type: Option<TriggerEventType>,
    /// Defaults to `medium`.
    #[oai(nullable)]
    default_priority: Option<Severity>,
    /// A work role, such as `technician`.
    #[oai(nullable)]
    default_assigned_role: Option<String>,
    /// At most ten years.
    #[oai(nullable, validator(maximum(value = "87600.0")))]
    default_due_hours: Option<u32>,
    #[oai(default)]
    checklist: Vec<Item>,
    /// Defaults to true.
    #[oai(nullable)]
    is_active: Option<bool>,
}

/// An activity template.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Template {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    description: Option<String>,
    activity_type_id: Option<Uuid>,
    trigger_event_type: String,
    default_priority: String,
    default_assigned_role: Option<String>,
    default_due_hours: Option<i64>,
    checklist: Vec<Item>,
    is_active: bool,
    retired: bool,
    created_at: Time,
    created_by: String,
    updated_at: Time,
    version: i64,
}

/// One activity template.
#[derive(Debug, Object)]
pub struct TemplateResponse {
    template: Template,
}

versioned!(TemplateResponse, template);

impl From<TemplateRequest> for TemplateDefinition {
    fn from(request: TemplateRequest) -> Self {
        let item = |Item { item, required }: Item| ChecklistItem { item, required };
        Self {
            name: request.name,
            description: request.description,
            activity_type_id: request.activity_type_id,
            trigger_event_type: request.trigger_event_type.unwrap_or(TriggerEventType::Manual).into(),
            default_priority: request.default_priority.unwrap_or(Severity::Medium).into(),
            default_assigned_role: request.default_assigned_role,
            default_due_hours: request.default_due_hours,
            checklist: request.checklist.into_iter().map(item).collect(),
            is_active: request.is_active.unwrap_or(true),
        }
    }
}

impl From<TemplateRow> for Template {
    fn from(row: TemplateRow) -> Self {
        let item = |ChecklistItem { item, required }: ChecklistItem| Item { item, required };
        Self {
            id: row.id,
            organization_id: row.organization_id,
            name: row.name,
            description: row.description,
            activity_type_id: row.activity_type_id,
            trigger_event_type: row.trigger_event_type,
            default_priority: row.default_priority,
            default_assigned_role: row.default_assigned_role,
            default_due_hours: row.default_due_hours,
            checklist: row.checklist.into_iter().map(item).collect(),
            is_active: row.is_active,
            retired: row.retired,
            created_at: row.created_at.into(),
            created_by: row.created_by,
            updated_at: row.updated_at.into(),
            version: row.version,
        }
    }
}

/// Returns an activity template of the caller's organisation.
pub async fn find(state: &State, caller: &Caller, id: Uuid) -> Result<TemplateResponse, Problem> {
    let row = read::template(&state.reader, caller.organization.0, id).await?;
    let row = row.ok_or_else(|| Problem::not_found("activity template"))?;
    Ok(TemplateResponse { template: row.into() })
}

/// Returns an activity template as it is after a write.
pub async fn after_write(
    state: &State,
    caller: &Caller,
    id: Uuid,
    receipt: Receipt,
) -> Result<TemplateResponse, Problem> {
    let row =
        read_after_write(state, NAME, (id, receipt), read::template(&state.reader, caller.organization.0, id)).await?;
    Ok(TemplateResponse { template: row.into() })
}
