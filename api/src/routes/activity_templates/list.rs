//! Lists activity templates.

use projections::rule_book::read::{self, TemplateFilter};

use super::view::Template;
use crate::enums::TriggerEventType;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

page! {
    /// One page of the list.
    Templates { templates: Template }
}

#[OpenApi]
impl Api {
    /// List activity templates
    #[oai(
        path = "/activity-templates",
        method = "get",
        tag = "Tag::ActivityTemplates",
        operation_id = "listActivityTemplates"
    )]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        #[oai(name = "triggerEventType")] trigger_event_type: Query<Option<TriggerEventType>>,
        #[oai(name = "activityTypeId")] activity_type_id: Query<Option<Uuid>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Templates>, Problem> {
        let filter = TemplateFilter {
            trigger_event_type: trigger_event_type.0.map(|kind| kind.as_str().to_owned()),
            activity_type_id: activity_type_id.0,
        };
        let page =
            read::templates(&state.reader, caller.organization.0, &filter, paging(limit, offset, &cursor)?).await?;
        Ok(Json(Templates::new(page)))
    }
}
