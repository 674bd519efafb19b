//! State of an activity template and its decisions.

use serde::{Deserialize, Serialize};

use super::{ActivityTemplateCommand, ActivityTemplateEvent, ChecklistItem, Error, MAX_DUE_HOURS, TemplateDefinition};
use crate::aggregate::{Decide, aggregate};
use crate::validation;

/// The state of an activity template, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActivityTemplate {
    /// The definition; `None` until it is defined.
    pub definition: Option<TemplateDefinition>,
    /// Whether it is retired.
    pub retired: bool,
}

impl Decide for ActivityTemplate {
    type Command = ActivityTemplateCommand;
    type Event = ActivityTemplateEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use ActivityTemplateCommand as C;
        match (command, &self.definition) {
            (C::DefineTemplate { definition }, None) => {
                Ok(vec![ActivityTemplateEvent::ActivityTemplateDefined { definition: checked(definition)? }])
            }
            (C::DefineTemplate { .. }, Some(_)) => Err(Error::AlreadyExists),
            (_, None) => Err(Error::NotFound),
            (C::RetireTemplate {}, _) if self.retired => Ok(vec![]),
            (C::RetireTemplate {}, _) => Ok(vec![ActivityTemplateEvent::ActivityTemplateRetired {}]),
            (_, _) if self.retired => Err(Error::Retired),
            (C::ReviseTemplate { definition }, Some(present)) => {
                let definition = checked(definition)?;
                let changed = definition != *present;
                let event = ActivityTemplateEvent::ActivityTemplateRevised { definition };
                Ok(changed.then_some(event).into_iter().collect())
            }
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match event {
            ActivityTemplateEvent::ActivityTemplateDefined { definition }
            | ActivityTemplateEvent::ActivityTemplateRevised { definition } => self.definition = Some(definition),
            ActivityTemplateEvent::ActivityTemplateRetired {} => self.retired = true,
        }
    }
}

aggregate!(ActivityTemplate, "activity_template");

fn checked(mut definition: TemplateDefinition) -> Result<TemplateDefinition, Error> {
    definition.name = validation::name(&definition.name).ok_or(Error::InvalidName)?;
    if definition.default_due_hours.is_some_and(|hours| hours > MAX_DUE_HOURS) {
        return Err(Error::InvalidDueHours);
    }
    match first_invalid_item(&definition.checklist) {
        Some(index) => Err(Error::InvalidChecklistItem { index }),
        None => Ok(definition),
    }
}

/// Returns the index of the first item whose text does not have 1 to 500 characters.
pub(crate) fn first_invalid_item(checklist: &[ChecklistItem]) -> Option<usize> {
    checklist.iter().position(|item| validation::trimmed(&item.item, 500).is_none())
}
