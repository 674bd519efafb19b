//! Events of a dead letter. They are stored forever: add new versions, never change an existing one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::aggregate::domain_event;
use crate::ids::DeviceId;

/// Events of a dead letter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "events are called by their full names everywhere")]
pub enum SettledLetterEvent {
    /// The device's message was resubmitted.
    DeadLetterRedriven {
        /// The device that sent the message.
        device: DeviceId,
        /// When the message first arrived.
        received_at: DateTime<Utc>,
        /// The payload as text, or as `base64:…` if it is not UTF-8.
        payload: String,
        /// The reason code of its rejection.
        reason: String,
    },
    /// The letter was discarded.
    DeadLetterDiscarded {
        /// An optional comment.
        comment: Option<String>,
    },
}

domain_event!(SettledLetterEvent { DeadLetterRedriven "1.0", DeadLetterDiscarded "1.0" });
