//! Errors: why a threshold rule rejects a command.

/// Why a threshold rule rejects a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The rule does not exist.
    #[error("no such rule")]
    NotFound,
    /// It already exists.
    #[error("the rule already exists")]
    AlreadyExists,
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The metric key is malformed.
    #[error("metricKey must have 1 to 64 of letters, digits, '_', '-' and '.'")]
    InvalidMetricKey,
    /// The condition is invalid.
    #[error("invalid condition: {reason}")]
    InvalidCondition {
        /// The cause.
        reason: &'static str,
    },
    /// Both an entity and a type are given.
    #[error("entityId and typeId are mutually exclusive")]
    EntityAndType,
    /// The webhook address is not an http(s) URL.
    #[error("action.url must be an http or https URL")]
    InvalidWebhook,
    /// The cooldown is longer than 30 days.
    #[error("cooldownSeconds must be at most 2592000")]
    InvalidCooldown,
}
