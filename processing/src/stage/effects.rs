//! What a batch causes: commands, and messages by subject. What does not live here: carrying them out.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::activity::ActivityCommand;
use domain::alarm::AlarmCommand;
use domain::ids::{ActivityId, AlarmId, NotificationId, OrganizationId};
use domain::notification::NotificationCommand;
use eventlog::Stream;
use uuid::Uuid;

/// A command a stage gives. Its id derives from what caused it, so that giving it again does nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// To an alarm.
    Alarm {
        /// Its organisation.
        organization: OrganizationId,
        /// The alarm.
        id: AlarmId,
        /// The command's own id.
        command_id: Uuid,
        /// What to do.
        command: AlarmCommand,
    },
    /// To an activity.
    Activity {
        /// Its organisation.
        organization: OrganizationId,
        /// The activity.
        id: ActivityId,
        /// The command's own id.
        command_id: Uuid,
        /// The threshold event that led to it.
        caused_by: Uuid,
        /// What to do.
        command: ActivityCommand,
    },
    /// To a notification.
    Notification {
        /// Its organisation.
        organization: OrganizationId,
        /// The notification.
        id: NotificationId,
        /// The threshold event that led to it.
        caused_by: Uuid,
        /// What to do.
        command: NotificationCommand,
    },
}

impl Command {
    /// Answers the aggregate that the command goes to.
    pub fn target(&self) -> Uuid {
        match self {
            Self::Alarm { id, .. } => id.0,
            Self::Activity { id, .. } => id.0,
            Self::Notification { id, .. } => id.0,
        }
    }
}

/// Everything a batch causes. Commands come first: who reads a message may rely on what it speaks of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// In the order they must be given within one target.
    pub commands: Vec<Command>,
    /// By stream and subject tail, in the order they must be stored within one subject.
    pub messages: BTreeMap<(Stream, String), Vec<Bytes>>,
}

impl Effects {
    /// Adds a message behind those of its subject.
    pub fn publish(&mut self, stream: Stream, tail: String, payload: impl Into<Bytes>) {
        self.messages.entry((stream, tail)).or_default().push(payload.into());
    }
}
