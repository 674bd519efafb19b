//! Creates an activity from a template.

use domain::activity::{Activity, ActivityCommand, WorkOrder};
use domain::activity_template::{ActivityTemplate, TemplateDefinition};
use domain::ids::{ActivityTemplateId, UserId};
use domain::rule::EntityKind;
use projections::{asset_directory, device_directory};

use super::view::{ActivityResponse, after_write};
use crate::auth::Caller;
use crate::enums::Severity;
use crate::error_mapping::never_refused;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Fields that override the template.
#[derive(Default, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct Overrides {
    #[oai(nullable, validator(min_length = 1, max_length = 200))]
    name: Option<String>,
    #[oai(nullable)]
    description: Option<String>,
    #[oai(nullable)]
    priority: Option<Severity>,
    #[oai(nullable)]
    assigned_to_user_id: Option<Uuid>,
    #[oai(nullable)]
    assigned_role: Option<String>,
    #[oai(nullable)]
    due_at: Option<Time>,
}

/// The target of the activity, and overrides of the template.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CreateFromTemplate {
    /// An asset or a device.
    target_id: Uuid,
    #[oai(nullable)]
    overrides: Option<Overrides>,
}

#[OpenApi]
impl Api {
    /// Create an activity from a template
    #[oai(
        path = "/activities/from-template/:templateId",
        method = "post",
        tag = "Tag::Activities",
        operation_id = "createActivityFromTemplate"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WorkActivities>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "templateId")] template_id: Path<Uuid>,
        body: Body<CreateFromTemplate>,
    ) -> Result<Created<ActivityResponse>, Problem> {
        let loaded = state.commands.load::<ActivityTemplate>(caller.organization, template_id.0).await;
        let template = loaded.map_err(never_refused)?.filter(|(template, _)| !template.retired);
        let definition = template.and_then(|(template, _)| template.definition);
        let definition = definition.ok_or_else(|| Problem::not_found("activity template"))?;
        let target = kind_of(&state, &caller, body.0.target_id).await?;
        let overrides = body.0.overrides.unwrap_or_default();
        let mut order = order(definition, target, body.0.target_id, overrides, state.now());
        order.template_id = Some(ActivityTemplateId(template_id.0));
        let context = intent.context(&caller);
        let id = context.created_id("activity");
        let command = ActivityCommand::CreateActivity { order };
        let receipt = state.commands.execute::<Activity>(&context, id, command).await?;
        Ok(Created(after_write(&state, &caller, id, receipt).await?, receipt))
    }
}

async fn kind_of(state: &State, caller: &Caller, target: Uuid) -> Result<EntityKind, Problem> {
    let organization = caller.organization.0;
    if let Some(asset) = asset_directory::read::get(&state.reader, organization, target).await? {
        return Ok(asset.row.kind.parse().unwrap_or(EntityKind::Asset));
    }
    match device_directory::read::get(&state.reader, organization, target).await? {
        Some(_) => Ok(EntityKind::Device),
        None => Err(Problem::field("targetId", "there is no such asset or device")),
    }
}

fn order(
    template: TemplateDefinition,
    target_type: EntityKind,
    target_id: Uuid,
    overrides: Overrides,
    now: DateTime<Utc>,
) -> WorkOrder {
    let due = template.due_at(now);
    WorkOrder {
        template_id: None,
        name: overrides.name.unwrap_or(template.name),
        description: overrides.description.or(template.description),
        target_type,
        target_id,
        priority: overrides.priority.map_or(template.default_priority, Into::into),
        assigned_role: overrides.assigned_role.or(template.default_assigned_role),
        assigned_user_id: overrides.assigned_to_user_id.map(UserId),
        due_at: overrides.due_at.map(|at| at.0).or(due),
        checklist: template.checklist,
        alarm_id: None,
    }
}
