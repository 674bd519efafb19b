//! Retires a rule.

use domain::rule::{Rule, RuleCommand};
use projections::rule_book::NAME;

use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Delete a threshold rule
    ///
    /// The rule raises no more alarms; existing alarms stay.
    #[oai(path = "/rules/:id", method = "delete", tag = "Tag::Rules", operation_id = "deleteRule")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteRules>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Changed<Success>, Problem> {
        let receipt = state
            .commands
            .execute_at::<Rule>(&intent.context(&caller), id.0, RuleCommand::RetireRule {}, expected.0)
            .await?;
        wait_until_visible(&state, NAME, receipt).await;
        Ok(Success::at(receipt))
    }
}
