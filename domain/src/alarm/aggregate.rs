//! State of an alarm and its decisions.

use serde::{Deserialize, Serialize};

use super::{AlarmCommand, AlarmEvent, AlarmState, Breach, Error};
use crate::aggregate::{Decide, aggregate};
use crate::alarming::Suppression;
use crate::ids::UserId;
use crate::validation;

/// Maximum length of a comment and of the reason for a dismissal, characters.
const MAX_COMMENT_CHARS: usize = 4000;

/// The state of an alarm, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The breach with its start as last amended; `None` until the alarm is raised.
    pub breach: Option<Breach>,
    /// Whether a user has acknowledged it.
    pub acknowledged: bool,
    /// Whether the condition no longer holds.
    pub returned_to_normal: bool,
    /// How often the breach recurred within the rule's cooldown.
    #[serde(default)]
    pub repeats: u32,
    /// Why its notifications are currently suppressed, if they are.
    #[serde(default)]
    pub suppression: Option<Suppression>,
    /// The user it is assigned to.
    #[serde(default)]
    pub assignee: Option<UserId>,
    /// Whether it is dismissed or superseded by a newer alarm, so that no action is left to take.
    #[serde(default)]
    pub closed: bool,
    /// Whether it is closed because a newer alarm superseded it. Such an alarm is never opened again.
    #[serde(default)]
    pub superseded: bool,
    /// Whether the present breach opened it again and is notified for that reason.
    #[serde(default)]
    pub reopening_announced: bool,
}

impl Decide for Alarm {
    type Command = AlarmCommand;
    type Event = AlarmEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use AlarmCommand as C;
        match (command, &self.breach) {
            (C::RaiseAlarm { breach, suppression }, None) => Ok(raised(breach, suppression)),
            // The same episode may be raised again after a replay; its first facts stay.
            (C::RaiseAlarm { breach, .. }, Some(present)) if present.is_same_episode(&breach) => Ok(vec![]),
            (C::RaiseAlarm { .. }, Some(_)) => Err(Error::AlreadyRaised),
            (_, None) => Err(Error::NotFound),
            (C::AmendAlarmStart { started_at }, Some(present)) if present.started_at == started_at => Ok(vec![]),
            (C::AmendAlarmStart { started_at }, _) => Ok(vec![AlarmEvent::AlarmStartAmended { started_at }]),
            // The evaluator may send commands again after a crash; the number of recurrences identifies those already
            // applied.
            (C::RepeatAlarm { repeats, .. }, _) if repeats <= self.repeats => Ok(vec![]),
            (C::RepeatAlarm { repeats, value, at, announce_reopening: announce }, Some(breach)) => {
                let reopened = || AlarmEvent::AlarmReopened { breach: breach.clone(), value, at, announce };
                let is_dismissed = self.closed && !self.superseded;
                let repeated = AlarmEvent::AlarmRepeated { repeats, value, at };
                Ok([repeated].into_iter().chain(is_dismissed.then(reopened)).collect())
            }
            // A return to normal that belongs to an earlier recurrence must not end the present one.
            (C::ReturnToNormal { repeats, .. }, _) if self.returned_to_normal || repeats < self.repeats => Ok(vec![]),
            (C::ReturnToNormal { value, at, .. }, Some(breach)) => {
                let reopened = self.reopening_announced.then(|| breach.clone());
                Ok(vec![AlarmEvent::AlarmReturnedToNormal { value, at, reopened }])
            }
            (C::SuppressAlarm { suppression }, _) => Ok(self.suppress(suppression)),
            (C::SupersedeAlarm { by }, _) => {
                // Nothing is left to supersede once the alarm needs no attention.
                let is_over = self.closed || (self.acknowledged && self.returned_to_normal);
                Ok((!is_over).then_some(AlarmEvent::AlarmSuperseded { by }).into_iter().collect())
            }
            (C::AcknowledgeAlarm { .. }, _) if self.acknowledged => Ok(vec![]),
            (C::AcknowledgeAlarm { comment }, _) => Ok(vec![AlarmEvent::AlarmAcknowledged { comment }]),
            (C::AssignAlarm { assignee }, _) if assignee == self.assignee => Ok(vec![]),
            (C::AssignAlarm { assignee }, _) => Ok(vec![AlarmEvent::AlarmAssigned { assignee }]),
            (C::CommentAlarm { text }, _) => {
                let text = validation::trimmed(&text, MAX_COMMENT_CHARS).ok_or(Error::InvalidComment)?;
                Ok(vec![AlarmEvent::AlarmCommented { text }])
            }
            (C::DismissAlarm { .. }, _) if self.closed => Err(Error::Closed),
            (C::DismissAlarm { reason }, _) => {
                let reason = validation::trimmed(&reason, MAX_COMMENT_CHARS).ok_or(Error::InvalidReason)?;
                Ok(vec![AlarmEvent::AlarmDismissed { reason }])
            }
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match (event, &mut self.breach) {
            (AlarmEvent::AlarmRaised { breach }, present) => *present = Some(breach),
            (AlarmEvent::AlarmStartAmended { started_at }, Some(breach)) => breach.started_at = started_at,
            (AlarmEvent::AlarmStartAmended { .. } | AlarmEvent::AlarmCommented { .. }, _) => {}
            (AlarmEvent::AlarmRepeated { repeats, .. }, _) => {
                self.repeats = repeats;
                self.returned_to_normal = false;
            }
            // Suppression applies only to active alarms: a return to normal ends it.
            (AlarmEvent::AlarmReturnedToNormal { .. }, _) => {
                (self.returned_to_normal, self.suppression) = (true, None);
                self.reopening_announced = false;
            }
            (AlarmEvent::AlarmSuppressed { suppression }, _) => self.suppression = Some(suppression),
            (AlarmEvent::AlarmUnsuppressed {}, _) => self.suppression = None,
            (AlarmEvent::AlarmAcknowledged { .. }, _) => self.acknowledged = true,
            (AlarmEvent::AlarmAssigned { assignee }, _) => self.assignee = assignee,
            (AlarmEvent::AlarmSuperseded { .. }, _) => (self.closed, self.superseded) = (true, true),
            (AlarmEvent::AlarmDismissed { .. }, _) => self.closed = true,
            (AlarmEvent::AlarmReopened { announce, .. }, _) => {
                (self.closed, self.acknowledged, self.reopening_announced) = (false, false, announce);
            }
        }
    }
}

aggregate!(Alarm, "alarm");

impl Alarm {
    /// Returns the alarm's state; `None` until it is raised.
    pub fn state(&self) -> Option<AlarmState> {
        let state = || match (self.closed, self.suppression) {
            (true, _) => AlarmState::Closed,
            (false, Some(suppression)) => suppression.into(),
            (false, None) => AlarmState::of(self.acknowledged, self.returned_to_normal),
        };
        self.breach.as_ref().map(|_| state())
    }

    fn suppress(&self, suppression: Option<Suppression>) -> Vec<AlarmEvent> {
        match suppression {
            same if same == self.suppression => vec![],
            Some(suppression) => vec![AlarmEvent::AlarmSuppressed { suppression }],
            None => vec![AlarmEvent::AlarmUnsuppressed {}],
        }
    }
}

fn raised(breach: Breach, suppression: Option<Suppression>) -> Vec<AlarmEvent> {
    let suppressed = suppression.map(|suppression| AlarmEvent::AlarmSuppressed { suppression });
    [AlarmEvent::AlarmRaised { breach }].into_iter().chain(suppressed).collect()
}
