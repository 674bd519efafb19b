//! Defines a rule.

use domain::rule::{Rule, RuleAction, RuleCommand, RuleDefinition};

use super::action::Action;
use super::condition::Condition;
use super::view::{RuleResponse, after_write};
use crate::enums::{EntityType, Severity};
use crate::prelude::*;

/// Default cooldown of a rule after an alarm, in seconds.
const USUAL_COOLDOWN_SECONDS: u32 = 300;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A new rule.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CreateRule {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    entity_type: EntityType,
    /// Null applies the rule to several entities.
    #[oai(nullable)]
    entity_id: Option<Uuid>,
    /// Only entities of this device type or asset type; null means all of `entityType`.
    #[oai(nullable)]
    type_id: Option<Uuid>,
    #[oai(validator(min_length = 1, max_length = 64))]
    metric_key: String,
    condition: Condition,
    severity: Severity,
    /// Defaults to no action.
    #[oai(nullable)]
    action: Option<Action>,
    /// Defaults to 300.
    #[oai(nullable, validator(maximum(value = "2592000")))]
    cooldown_seconds: Option<u32>,
    /// Defaults to true.
    #[oai(nullable)]
    is_active: Option<bool>,
}

#[OpenApi]
impl Api {
    /// Define a threshold rule
    #[oai(path = "/rules", method = "post", tag = "Tag::Rules", operation_id = "createRule")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteRules>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<CreateRule>,
    ) -> Result<Created<RuleResponse>, Problem> {
        let context = intent.context(&caller);
        let id = context.created_id("rule");
        let definition = RuleDefinition {
            name: body.0.name,
            description: body.0.description,
            entity_type: body.0.entity_type.into(),
            entity_id: body.0.entity_id,
            type_id: body.0.type_id,
            metric_key: body.0.metric_key,
            condition: body.0.condition.read()?,
            severity: body.0.severity.into(),
            action: body.0.action.map_or(RuleAction::None, Into::into),
            cooldown_seconds: body.0.cooldown_seconds.unwrap_or(USUAL_COOLDOWN_SECONDS),
            is_active: body.0.is_active.unwrap_or(true),
        };
        let receipt = state.commands.execute::<Rule>(&context, id, RuleCommand::DefineRule { definition }).await?;
        Ok(Created(after_write(&state, &caller, id, receipt).await?, receipt))
    }
}
