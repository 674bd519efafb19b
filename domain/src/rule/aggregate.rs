//! State of a threshold rule and its decisions.

use serde::{Deserialize, Serialize};

use super::{Error, RuleCommand, RuleDefinition, RuleEvent, revise, validate};
use crate::aggregate::{Decide, aggregate};

/// The state of a threshold rule, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The definition; `None` until it is defined.
    pub definition: Option<RuleDefinition>,
    /// Whether it is retired.
    pub retired: bool,
}

impl Decide for Rule {
    type Command = RuleCommand;
    type Event = RuleEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        match (command, &self.definition) {
            (RuleCommand::DefineRule { definition }, None) => {
                Ok(vec![RuleEvent::RuleDefined { definition: validate::definition(definition)? }])
            }
            (RuleCommand::DefineRule { .. }, Some(_)) => Err(Error::AlreadyExists),
            (_, None) => Err(Error::NotFound),
            (RuleCommand::RetireRule {}, _) if self.retired => Ok(vec![]),
            (RuleCommand::RetireRule {}, _) => Ok(vec![RuleEvent::RuleRetired {}]),
            (_, _) if self.retired => Err(Error::NotFound),
            (RuleCommand::ReviseRule { revision }, Some(present)) => {
                let revised = validate::definition(revise::merged(present, revision))?;
                Ok(revise::changes(present, revised))
            }
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match (event, &mut self.definition) {
            (RuleEvent::RuleDefined { definition }, present) => *present = Some(definition),
            (RuleEvent::RuleRetired {}, _) => self.retired = true,
            (event, Some(definition)) => revise::apply(definition, event),
            (_, None) => {}
        }
    }
}

aggregate!(Rule, "rule");
