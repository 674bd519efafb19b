//! Events of a threshold rule. They are stored forever: add new versions, never change an existing one.

use serde::{Deserialize, Serialize};

use super::{RuleAction, RuleDefinition};
use crate::alarming::{Condition, Severity};

use crate::aggregate::domain_event;

/// Events of a threshold rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RuleEvent {
    /// The rule was defined.
    RuleDefined {
        /// The full definition.
        definition: RuleDefinition,
    },
    /// Its name or description changed.
    RuleRenamed {
        /// Its name.
        name: String,
        /// Free-text description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// Its metric or condition changed.
    RuleConditionChanged {
        /// The watched metric.
        metric_key: String,
        /// The condition of a breach.
        condition: Condition,
    },
    /// Its severity changed.
    RuleSeverityChanged {
        /// The severity.
        severity: Severity,
    },
    /// Its action changed.
    RuleActionChanged {
        /// The action on a breach.
        action: RuleAction,
    },
    /// Its cooldown changed.
    RuleCooldownChanged {
        /// Cooldown, seconds.
        cooldown_seconds: u32,
    },
    /// It was activated.
    RuleActivated {},
    /// It was deactivated.
    RuleDeactivated {},
    /// It was retired.
    RuleRetired {},
}

domain_event!(RuleEvent { RuleDefined "1.0", RuleRenamed "1.0", RuleConditionChanged "1.0", RuleSeverityChanged "1.0", RuleActionChanged "1.0", RuleCooldownChanged "1.0", RuleActivated "1.0", RuleDeactivated "1.0", RuleRetired "1.0" });
