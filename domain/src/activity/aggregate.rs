//! State of an activity and its decisions. The life cycle is pending, assigned, in progress, then done or cancelled.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ActivityCommand, ActivityEvent, ActivityStatus, Error, WorkOrder};
use crate::activity_template::first_invalid_item;
use crate::aggregate::{Decide, aggregate};
use crate::ids::UserId;
use crate::validation;

/// Maximum length of a comment, characters.
const MAX_COMMENT_CHARS: usize = 4000;

/// The state of an activity, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// The work order with its current role and user; `None` until the activity is created.
    pub order: Option<WorkOrder>,
    /// The status of the work.
    pub status: ActivityStatus,
    /// Whether its overdue state was recorded.
    #[serde(default)]
    pub overdue: bool,
    /// Indices of the checked checklist items.
    pub ticked: BTreeSet<usize>,
}

impl Decide for Activity {
    type Command = ActivityCommand;
    type Event = ActivityEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use ActivityCommand as C;
        match (command, &self.order) {
            (C::CreateActivity { order }, None) => Ok(vec![ActivityEvent::ActivityCreated { order: checked(order)? }]),
            (C::CreateActivity { .. }, Some(_)) => Err(Error::AlreadyExists),
            (_, None) => Err(Error::NotFound),
            (C::AssignActivity { role, user_id }, Some(order)) => self.assign(order, role, user_id),
            (C::StartActivity {}, _) => self.start(),
            (C::CheckItem { index, done }, Some(order)) => self.check_item(order, index, done),
            (C::CompleteActivity { note }, Some(order)) => self.complete(order, note),
            (C::CancelActivity { reason }, _) => {
                self.not_ended()?;
                Ok(vec![ActivityEvent::ActivityCancelled { reason }])
            }
            (C::NoteOverdue { now }, Some(order)) => {
                let due = order.due_at.filter(|due| *due <= now && !self.overdue && self.not_ended().is_ok());
                Ok(due.map(|due_at| ActivityEvent::ActivityOverdue { due_at }).into_iter().collect())
            }
            (C::CommentActivity { text }, _) => {
                let text = validation::trimmed(&text, MAX_COMMENT_CHARS).ok_or(Error::InvalidComment)?;
                Ok(vec![ActivityEvent::ActivityCommented { text }])
            }
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match (event, &mut self.order) {
            (ActivityEvent::ActivityCreated { order }, present) => {
                self.status = order.first_status();
                *present = Some(order);
            }
            (ActivityEvent::ActivityAssigned { role, user_id }, Some(order)) => {
                order.assigned_role = role;
                order.assigned_user_id = user_id;
                if self.status == ActivityStatus::Pending {
                    self.status = ActivityStatus::Assigned;
                }
            }
            (ActivityEvent::ActivityStarted {}, _) => self.status = ActivityStatus::InProgress,
            (ActivityEvent::ActivityItemChecked { index, done: true }, _) => {
                self.ticked.insert(index);
            }
            (ActivityEvent::ActivityItemChecked { index, done: false }, _) => {
                self.ticked.remove(&index);
            }
            (ActivityEvent::ActivityOverdue { .. }, _) => self.overdue = true,
            (ActivityEvent::ActivityCompleted { .. }, _) => self.status = ActivityStatus::Done,
            (ActivityEvent::ActivityCancelled { .. }, _) => self.status = ActivityStatus::Cancelled,
            (ActivityEvent::ActivityCommented { .. } | ActivityEvent::ActivityAssigned { .. }, _) => {}
        }
    }
}

aggregate!(Activity, "activity");

impl Activity {
    fn assign(
        &self,
        order: &WorkOrder,
        role: Option<String>,
        user_id: Option<UserId>,
    ) -> Result<Vec<ActivityEvent>, Error> {
        self.not_ended()?;
        if role.is_none() && user_id.is_none() {
            return Err(Error::NoAssignee);
        }
        let changed = (&role, user_id) != (&order.assigned_role, order.assigned_user_id);
        Ok(changed.then_some(ActivityEvent::ActivityAssigned { role, user_id }).into_iter().collect())
    }

    fn start(&self) -> Result<Vec<ActivityEvent>, Error> {
        match self.status {
            ActivityStatus::InProgress => Ok(vec![]),
            ActivityStatus::Assigned => Ok(vec![ActivityEvent::ActivityStarted {}]),
            status => Err(Error::WrongStatus { status }),
        }
    }

    fn check_item(&self, order: &WorkOrder, index: usize, done: bool) -> Result<Vec<ActivityEvent>, Error> {
        self.in_progress()?;
        if index >= order.checklist.len() {
            return Err(Error::NoSuchItem { index });
        }
        let changed = self.ticked.contains(&index) != done;
        Ok(changed.then_some(ActivityEvent::ActivityItemChecked { index, done }).into_iter().collect())
    }

    fn complete(&self, order: &WorkOrder, note: Option<String>) -> Result<Vec<ActivityEvent>, Error> {
        self.in_progress()?;
        let is_open = |(index, required): (usize, bool)| required && !self.ticked.contains(&index);
        let required = order.checklist.iter().map(|item| item.required).enumerate();
        match required.filter(|item| is_open(*item)).count() {
            0 => Ok(vec![ActivityEvent::ActivityCompleted { note }]),
            open => Err(Error::ItemsOpen { open }),
        }
    }

    fn in_progress(&self) -> Result<(), Error> {
        match self.status {
            ActivityStatus::InProgress => Ok(()),
            status => Err(Error::WrongStatus { status }),
        }
    }

    fn not_ended(&self) -> Result<(), Error> {
        match self.status {
            status @ (ActivityStatus::Done | ActivityStatus::Cancelled) => Err(Error::WrongStatus { status }),
            _ => Ok(()),
        }
    }
}

fn checked(mut order: WorkOrder) -> Result<WorkOrder, Error> {
    order.name = validation::name(&order.name).ok_or(Error::InvalidName)?;
    match first_invalid_item(&order.checklist) {
        Some(index) => Err(Error::InvalidChecklistItem { index }),
        None => Ok(order),
    }
}
