//! Shows an activity template.

use super::view::{TemplateResponse, find};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show an activity template
    #[oai(
        path = "/activity-templates/:id",
        method = "get",
        tag = "Tag::ActivityTemplates",
        operation_id = "getActivityTemplate"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Fetched<TemplateResponse>, Problem> {
        Ok(Fetched(find(&state, &caller, id.0).await?))
    }
}
