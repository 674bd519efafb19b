//! Revises an activity template.

use domain::activity_template::{ActivityTemplate, ActivityTemplateCommand};

use super::view::{TemplateRequest, TemplateResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Revise an activity template
    ///
    /// Replaces the whole template; omitted fields are removed.
    #[oai(
        path = "/activity-templates/:id",
        method = "put",
        tag = "Tag::ActivityTemplates",
        operation_id = "updateActivityTemplate"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTemplates>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<TemplateRequest>,
    ) -> Result<Revised<TemplateResponse>, Problem> {
        let command = ActivityTemplateCommand::ReviseTemplate { definition: body.0.into() };
        let receipt =
            state.commands.execute_at::<ActivityTemplate>(&intent.context(&caller), id.0, command, expected.0).await?;
        Ok(Revised(after_write(&state, &caller, id.0, receipt).await?, Some(receipt)))
    }
}
