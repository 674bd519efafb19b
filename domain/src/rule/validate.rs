//! Validation of a rule's definition. Whether a rule may be changed at all is decided in `aggregate`.

use super::{Error, RuleAction, RuleDefinition};
use crate::validation::{self, MAX_DURATION_SECONDS};

/// Returns the definition with its name trimmed, or the first error in it.
pub(super) fn definition(mut definition: RuleDefinition) -> Result<RuleDefinition, Error> {
    definition.name = validation::name(&definition.name).ok_or(Error::InvalidName)?;
    if !validation::is_metric_key(&definition.metric_key) {
        return Err(Error::InvalidMetricKey);
    }
    if let Some(reason) = definition.condition.problem() {
        return Err(Error::InvalidCondition { reason });
    }
    if definition.entity_id.is_some() && definition.type_id.is_some() {
        return Err(Error::EntityAndType);
    }
    if let RuleAction::Webhook { url } = &definition.action
        && !validation::is_web_address(url)
    {
        return Err(Error::InvalidWebhook);
    }
    if definition.cooldown_seconds > MAX_DURATION_SECONDS {
        return Err(Error::InvalidCooldown);
    }
    Ok(definition)
}
