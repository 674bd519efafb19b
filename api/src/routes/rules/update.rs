//! Revises a rule.

use domain::rule::{Rule, RuleCommand, RuleRevision};

use super::action::Action;
use super::condition::Condition;
use super::view::{RuleResponse, after_write};
use crate::enums::Severity;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The fields to change; omitted fields keep their values. The entities of a rule cannot be changed.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateRule {
    #[oai(nullable, validator(min_length = 1, max_length = 200))]
    name: Option<String>,
    /// An empty string removes it.
    #[oai(nullable)]
    description: Option<String>,
    #[oai(nullable, validator(min_length = 1, max_length = 64))]
    metric_key: Option<String>,
    #[oai(nullable)]
    condition: Option<Condition>,
    #[oai(nullable)]
    severity: Option<Severity>,
    #[oai(nullable)]
    action: Option<Action>,
    #[oai(nullable, validator(maximum(value = "2592000")))]
    cooldown_seconds: Option<u32>,
    #[oai(nullable)]
    is_active: Option<bool>,
}

#[OpenApi]
impl Api {
    /// Change a threshold rule
    #[oai(path = "/rules/:id", method = "put", tag = "Tag::Rules", operation_id = "updateRule")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteRules>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<UpdateRule>,
    ) -> Result<Revised<RuleResponse>, Problem> {
        let revision = RuleRevision {
            name: body.0.name,
            description: body.0.description.map(|text| (!text.is_empty()).then_some(text)),
            metric_key: body.0.metric_key,
            condition: body.0.condition.map(Condition::read).transpose()?,
            severity: body.0.severity.map(Into::into),
            action: body.0.action.map(Into::into),
            cooldown_seconds: body.0.cooldown_seconds,
            is_active: body.0.is_active,
        };
        let command = RuleCommand::ReviseRule { revision };
        let receipt = state.commands.execute_at::<Rule>(&intent.context(&caller), id.0, command, expected.0).await?;
        Ok(Revised(after_write(&state, &caller, id.0, receipt).await?, Some(receipt)))
    }
}
