//! Activity types, such as inspection or repair.

use serde::{Deserialize, Serialize};

use super::{Definition, entry};
use crate::validation;

/// The definition of an activity type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityTypeDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Name of its icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
}

/// Why a definition is rejected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
}

impl Definition for ActivityTypeDefinition {
    const NOUN: &'static str = "activity type";
    type Event = ActivityTypeEvent;
    type Refusal = Refusal;

    fn checked(mut self) -> Result<Self, Refusal> {
        self.name = validation::name(&self.name).ok_or(Refusal::InvalidName)?;
        Ok(self)
    }
}

entry!(
    ActivityType,
    "activity_type",
    ActivityTypeDefinition,
    ActivityTypeEvent { ActivityTypeDefined, ActivityTypeRevised, ActivityTypeRetired }
);
