//! Notification channels for alarms. The delivery lives in the `api` crate.

use serde::{Deserialize, Serialize};

use super::{Definition, entry};
use crate::alarming::Severity;
use crate::validation;

/// Maximum number of work roles of a channel.
const MAX_WORK_ROLES: usize = 50;
/// Maximum length of a work role, characters.
const MAX_WORK_ROLE_CHARS: usize = 60;

/// The definition of a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whom it reaches, and how.
    pub medium: Medium,
    /// Alarms of lower severity are not sent.
    pub minimum_severity: Severity,
    /// Whether it is active.
    pub is_active: bool,
}

/// Whom a channel reaches, and how. Users are addressed by work role, so that no personal data enters an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Medium {
    /// A webhook.
    Webhook {
        /// The URL to call.
        url: String,
    },
    /// E-mails to users.
    Email {
        /// Reaches every user with one of these work roles.
        work_roles: Vec<String>,
    },
    /// Push notifications to users in the web console.
    Push {
        /// Reaches every user with one of these work roles.
        work_roles: Vec<String>,
    },
}

/// Why a definition is rejected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The webhook address is not an http(s) URL.
    #[error("the address must begin with https:// or http:// and have at most 2000 bytes")]
    InvalidUrl,
    /// There are no work roles, too many, or one of them is malformed.
    #[error("1 to {MAX_WORK_ROLES} work roles of 1 to {MAX_WORK_ROLE_CHARS} characters are required")]
    InvalidWorkRoles,
}

impl Definition for ChannelDefinition {
    const NOUN: &'static str = "notification channel";
    type Event = NotificationChannelEvent;
    type Refusal = Refusal;

    fn checked(mut self) -> Result<Self, Refusal> {
        self.name = validation::name(&self.name).ok_or(Refusal::InvalidName)?;
        match &mut self.medium {
            Medium::Webhook { url } if !validation::is_web_address(url) => return Err(Refusal::InvalidUrl),
            Medium::Webhook { .. } => {}
            Medium::Email { work_roles } | Medium::Push { work_roles } => {
                *work_roles = checked_roles(work_roles).ok_or(Refusal::InvalidWorkRoles)?;
            }
        }
        Ok(self)
    }
}

/// Returns the roles trimmed and without duplicates; `None` if they are invalid.
fn checked_roles(roles: &[String]) -> Option<Vec<String>> {
    let mut checked = Vec::with_capacity(roles.len());
    for role in roles {
        let role = validation::trimmed(role, MAX_WORK_ROLE_CHARS)?;
        if !checked.contains(&role) {
            checked.push(role);
        }
    }
    (1..=MAX_WORK_ROLES).contains(&checked.len()).then_some(checked)
}

entry!(
    NotificationChannel,
    "notification_channel",
    ChannelDefinition,
    NotificationChannelEvent { NotificationChannelDefined, NotificationChannelRevised, NotificationChannelRetired }
);
