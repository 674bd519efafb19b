//! What an alarm remembers and how it decides.

use serde::{Deserialize, Serialize};

use super::{AlarmCommand, AlarmEvent, AlarmState, Breach, Error};
use crate::aggregate::{Decide, aggregate};

/// An alarm as its events left it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// What was breached, its start as last amended; absent until it is raised.
    pub breach: Option<Breach>,
    /// Whether a person has seen it.
    pub acknowledged: bool,
    /// Whether the condition holds no longer.
    pub returned_to_normal: bool,
}

impl Decide for Alarm {
    type Command = AlarmCommand;
    type Event = AlarmEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use AlarmCommand as C;
        match (command, &self.breach) {
            (C::RaiseAlarm { breach }, None) => Ok(vec![AlarmEvent::AlarmRaised { breach }]),
            (C::RaiseAlarm { breach }, Some(present)) if present.is_same_episode(&breach) => Ok(vec![]),
            (C::RaiseAlarm { .. }, Some(_)) => Err(Error::AlreadyRaised),
            (_, None) => Err(Error::NotFound),
            (C::AmendAlarmStart { started_at }, Some(present)) if present.started_at == started_at => Ok(vec![]),
            (C::AmendAlarmStart { started_at }, _) => Ok(vec![AlarmEvent::AlarmStartAmended { started_at }]),
            (C::ReturnToNormal { .. }, _) if self.returned_to_normal => Ok(vec![]),
            (C::ReturnToNormal { value, at }, _) => Ok(vec![AlarmEvent::AlarmReturnedToNormal { value, at }]),
            (C::AcknowledgeAlarm { .. }, _) if self.acknowledged => Ok(vec![]),
            (C::AcknowledgeAlarm { comment }, _) => Ok(vec![AlarmEvent::AlarmAcknowledged { comment }]),
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match (event, &mut self.breach) {
            (AlarmEvent::AlarmRaised { breach }, present) => *present = Some(breach),
            (AlarmEvent::AlarmStartAmended { started_at }, Some(breach)) => breach.started_at = started_at,
            (AlarmEvent::AlarmStartAmended { .. }, None) => {}
            (AlarmEvent::AlarmReturnedToNormal { .. }, _) => self.returned_to_normal = true,
            (AlarmEvent::AlarmAcknowledged { .. }, _) => self.acknowledged = true,
        }
    }
}

aggregate!(Alarm, "alarm");

impl Alarm {
    /// Returns its state; `None` until it is raised.
    pub fn state(&self) -> Option<AlarmState> {
        self.breach.as_ref().map(|_| AlarmState::of(self.acknowledged, self.returned_to_normal))
    }
}
