//! The effects of a batch: commands, and messages by subject. Delivery lives in `stage::deliver`.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::activity::ActivityCommand;
use domain::alarm::AlarmCommand;
use domain::ids::{ActivityId, AlarmId, NotificationId, OrganizationId};
use domain::notification::NotificationCommand;
use eventlog::Stream;
use uuid::Uuid;

/// A command that a stage issues. Its id derives from its cause, so executing it again has no effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A command to an alarm.
    Alarm {
        /// The organisation of the target.
        organization: OrganizationId,
        /// The alarm.
        id: AlarmId,
        /// The id of the command.
        command_id: Uuid,
        /// The command itself.
        command: AlarmCommand,
    },
    /// A command to an activity.
    Activity {
        /// The organisation of the target.
        organization: OrganizationId,
        /// The activity.
        id: ActivityId,
        /// The id of the command.
        command_id: Uuid,
        /// The id of the threshold event that caused it.
        caused_by: Uuid,
        /// The command itself.
        command: ActivityCommand,
    },
    /// A command to a notification.
    Notification {
        /// The organisation of the target.
        organization: OrganizationId,
        /// The notification.
        id: NotificationId,
        /// The id of the threshold event that caused it.
        caused_by: Uuid,
        /// The command itself.
        command: NotificationCommand,
    },
}

impl Command {
    /// Returns the id of the aggregate that the command addresses.
    pub fn target(&self) -> Uuid {
        match self {
            Self::Alarm { id, .. } => id.0,
            Self::Activity { id, .. } => id.0,
            Self::Notification { id, .. } => id.0,
        }
    }
}

/// Everything that a batch causes. Commands are delivered first, so that a reader of a message can rely on what it
/// refers to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// The commands; their order matters within one target.
    pub commands: Vec<Command>,
    /// The messages by stream and subject tail; their order matters within one subject.
    pub messages: BTreeMap<(Stream, String), Vec<Bytes>>,
}

impl Effects {
    /// Appends a message to its subject.
    pub fn publish(&mut self, stream: Stream, tail: String, payload: impl Into<Bytes>) {
        self.messages.entry((stream, tail)).or_default().push(payload.into());
    }
}
