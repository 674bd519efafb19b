//! The action of a rule in requests and responses.

use domain::ids::ActivityTemplateId;
use domain::rule::RuleAction;
use poem_openapi::Union;

use crate::prelude::*;

/// Creates an activity.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct CreateActivity {
    /// The template; if absent, the organisation's templates for threshold breaches.
    #[oai(nullable)]
    template_id: Option<Uuid>,
}

/// Posts to a URL.
#[derive(Debug, Object)]
pub struct Webhook {
    #[oai(validator(min_length = 1, max_length = 2000))]
    url: String,
}

/// Only raises the alarm.
#[derive(Debug, Object)]
pub struct NoAction {}

/// The action on a breach.
#[derive(Debug, Union)]
#[oai(discriminator_name = "type", one_of = true)]
pub enum Action {
    #[oai(mapping = "create_activity")]
    CreateActivity(CreateActivity),
    #[oai(mapping = "webhook")]
    Webhook(Webhook),
    #[oai(mapping = "none")]
    NoAction(NoAction),
}

impl From<Action> for RuleAction {
    fn from(action: Action) -> Self {
        match action {
            Action::CreateActivity(CreateActivity { template_id }) => {
                Self::CreateActivity { template_id: template_id.map(ActivityTemplateId) }
            }
            Action::Webhook(Webhook { url }) => Self::Webhook { url },
            Action::NoAction(_) => Self::None,
        }
    }
}

impl From<RuleAction> for Action {
    fn from(action: RuleAction) -> Self {
        match action {
            RuleAction::CreateActivity { template_id } => {
                Self::CreateActivity(CreateActivity { template_id: template_id.map(|id| id.0) })
            }
            RuleAction::Webhook { url } => Self::Webhook(Webhook { url }),
            RuleAction::None => Self::NoAction(NoAction {}),
        }
    }
}
