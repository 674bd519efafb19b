//! State of a shelving and its decisions.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Error, MAX_DAYS, ShelvingCommand, ShelvingEvent};
use crate::aggregate::{Decide, aggregate};
use crate::validation;

/// Maximum length of a reason, characters.
const MAX_REASON_CHARS: usize = 4000;

/// The state of a shelving, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shelving {
    /// Until when the alarms are shelved; `None` if they are not.
    pub until: Option<DateTime<Utc>>,
}

impl Decide for Shelving {
    type Command = ShelvingCommand;
    type Event = ShelvingEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use ShelvingCommand as C;
        match command {
            C::ShelveAlarms { until, .. } if self.until == Some(until) => Ok(vec![]),
            C::ShelveAlarms { rule_id, entity_id, now, until, reason } => {
                if until <= now || until > now + TimeDelta::days(MAX_DAYS) {
                    return Err(Error::InvalidUntil);
                }
                let reason = validation::trimmed(&reason, MAX_REASON_CHARS).ok_or(Error::InvalidReason)?;
                Ok(vec![ShelvingEvent::AlarmsShelved { rule_id, entity_id, until, reason }])
            }
            C::UnshelveAlarms { rule_id, entity_id } => {
                Ok(self.until.map(|_| ShelvingEvent::AlarmsUnshelved { rule_id, entity_id }).into_iter().collect())
            }
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        self.until = match event {
            ShelvingEvent::AlarmsShelved { until, .. } => Some(until),
            ShelvingEvent::AlarmsUnshelved { .. } => None,
        };
    }
}

aggregate!(Shelving, "shelving");
