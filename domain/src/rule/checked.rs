//! What a rule may say. What does not live here: whether the rule may be changed at all.

use super::{Error, RuleAction, RuleDefinition};
use crate::alarming::{Condition, Operator};
use crate::checks::{self, MAX_DURATION_SECONDS};

/// Returns the definition with its name trimmed, or what is wrong with it.
pub(super) fn definition(mut definition: RuleDefinition) -> Result<RuleDefinition, Error> {
    definition.name = checks::name(&definition.name).ok_or(Error::InvalidName)?;
    if !checks::is_metric_key(&definition.metric_key) {
        return Err(Error::InvalidMetricKey);
    }
    condition(&definition.condition).map_err(|reason| Error::InvalidCondition { reason })?;
    if let RuleAction::Webhook { url } = &definition.action
        && !checks::is_web_address(url)
    {
        return Err(Error::InvalidWebhook);
    }
    if definition.cooldown_seconds > MAX_DURATION_SECONDS {
        return Err(Error::InvalidCooldown);
    }
    Ok(definition)
}

fn condition(condition: &Condition) -> Result<(), &'static str> {
    let two_bounds = matches!(condition.operator, Operator::Between | Operator::Outside);
    match condition.upper {
        _ if !condition.value.is_finite() => Err("value must be a finite number"),
        Some(upper) if !upper.is_finite() => Err("upper must be a finite number"),
        Some(_) if !two_bounds => Err("upper belongs to between and outside only"),
        None if two_bounds => Err("between and outside need upper"),
        Some(upper) if upper < condition.value => Err("upper must not be below value"),
        _ if condition.duration_seconds > MAX_DURATION_SECONDS => Err("durationSeconds must be at most 2592000"),
        _ => Ok(()),
    }
}
