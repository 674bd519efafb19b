//! Channels by which people and programs are told of alarms. What does not live here: telling them.

use serde::{Deserialize, Serialize};

use super::{Definition, entry};
use crate::alarming::Severity;
use crate::validation;

/// Most work roles of a channel.
const MAX_WORK_ROLES: usize = 50;
/// Maximum length of a work role, characters.
const MAX_WORK_ROLE_CHARS: usize = 60;

/// What a channel says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whom it reaches, and how.
    pub medium: Medium,
    /// Alarms below are not told.
    pub minimum_severity: Severity,
    /// Whether it is active.
    pub is_active: bool,
}

/// Whom a channel reaches, and how. People are named by their work roles: addresses of people are no events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Medium {
    /// A program, at an address.
    Webhook {
        /// Where it listens.
        url: String,
    },
    /// People, by e-mail.
    Email {
        /// Reaches every user with one of these work roles.
        work_roles: Vec<String>,
    },
    /// People, on their screens.
    Push {
        /// Reaches every user with one of these work roles.
        work_roles: Vec<String>,
    },
}

/// Why a channel is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// The address is none.
    #[error("the address must begin with https:// or http:// and have at most 2000 characters")]
    InvalidUrl,
    /// Nobody is reached, or too many roles are named, or one of them is none.
    #[error("1 to {MAX_WORK_ROLES} work roles of 1 to {MAX_WORK_ROLE_CHARS} characters are needed")]
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

/// Returns the roles trimmed, each once.
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
