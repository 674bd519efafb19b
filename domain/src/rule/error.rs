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
    /// The metric key is not one.
    #[error("metricKey must have 1 to 64 of letters, digits, '_', '-' and '.'")]
    InvalidMetricKey,
    /// The condition makes no sense.
    #[error("condition: {reason}")]
    InvalidCondition {
        /// What is wrong.
        reason: &'static str,
    },
    /// One entity and all of a type.
    #[error("entityId and typeId exclude each other")]
    EntityAndType,
    /// The webhook address is no http(s) URL.
    #[error("action.url must be an http or https address")]
    InvalidWebhook,
    /// The cooldown is longer than 30 days.
    #[error("cooldownSeconds must be at most 2592000")]
    InvalidCooldown,
}
