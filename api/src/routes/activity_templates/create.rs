//! Defines an activity template.

use domain::activity_template::{ActivityTemplate, ActivityTemplateCommand};

use super::view::{TemplateRequest, TemplateResponse, after_write};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Define an activity template
    #[oai(
        path = "/activity-templates",
        method = "post",
        tag = "Tag::ActivityTemplates",
        operation_id = "createActivityTemplate"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTemplates>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<TemplateRequest>,
    ) -> Result<Created<TemplateResponse>, Problem> {
        let context = intent.context(&caller);
        let id = context.created_id("activity template");
        let command = ActivityTemplateCommand::DefineTemplate { definition: body.0.into() };
        let receipt = state.commands.execute::<ActivityTemplate>(&context, id, command).await?;
        Ok(Created(after_write(&state, &caller, id, receipt).await?, receipt))
    }
}
