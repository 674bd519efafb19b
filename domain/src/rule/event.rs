//! Events of a threshold rule. They are stored forever: add new versions, never change an existing one.

use serde::{Deserialize, Serialize};

use super::{RuleAction, RuleDefinition};
use crate::alarming::{Condition, Severity};

use crate::aggregate::domain_event;

/// Events of a threshold rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RuleEvent {
    /// The rule was added.
    RuleDefined {
        /// All of it.
        definition: RuleDefinition,
    },
    /// It has another name or description.
    RuleRenamed {
        /// Its name.
        name: String,
        /// Free-text description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// It breaches differently.
    RuleConditionChanged {
        /// The metric it watches.
        metric_key: String,
        /// The condition of a breach.
        condition: Condition,
    },
    /// It is as severe as this now.
    RuleSeverityChanged {
        /// The severity.
        severity: Severity,
    },
    /// Something else follows a breach.
    RuleActionChanged {
        /// What follows.
        action: RuleAction,
    },
    /// Its pause after an alarm changed.
    RuleCooldownChanged {
        /// Seconds.
        cooldown_seconds: u32,
    },
    /// It is evaluated.
    RuleActivated {},
    /// It is not evaluated.
    RuleDeactivated {},
    /// It is gone.
    RuleRetired {},
}

domain_event!(RuleEvent { RuleDefined "1.0", RuleRenamed "1.0", RuleConditionChanged "1.0", RuleSeverityChanged "1.0", RuleActionChanged "1.0", RuleCooldownChanged "1.0", RuleActivated "1.0", RuleDeactivated "1.0", RuleRetired "1.0" });
