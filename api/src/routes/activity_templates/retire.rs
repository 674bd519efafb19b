//! Retires an activity template.

use domain::activity_template::{ActivityTemplate, ActivityTemplateCommand};
use projections::dependents::Referenced;
use projections::rule_book::NAME;

use crate::prelude::*;
use crate::routes::ensure_unused::ensure_unused;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Delete an activity template
    ///
    /// No new activities are created from it; existing ones stay.
    #[oai(
        path = "/activity-templates/:id",
        method = "delete",
        tag = "Tag::ActivityTemplates",
        operation_id = "deleteActivityTemplate"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTemplates>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Changed<Success>, Problem> {
        ensure_unused(&state, &caller, Referenced::ActivityTemplate, id.0).await?;
        let command = ActivityTemplateCommand::RetireTemplate {};
        let receipt =
            state.commands.execute_at::<ActivityTemplate>(&intent.context(&caller), id.0, command, expected.0).await?;
        wait_until_visible(&state, NAME, receipt).await;
        Ok(Success::at(receipt))
    }
}
