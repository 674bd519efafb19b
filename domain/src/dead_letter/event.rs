//! What may have been decided about a refused message, as facts. Stored for ever: add versions, never change one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::aggregate::domain_event;
use crate::ids::DeviceId;

/// Events of a dead letter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "events are called by their full names everywhere")]
pub enum SettledLetterEvent {
    /// The device's message is given to the platform again.
    DeadLetterRedriven {
        /// Whose message it is.
        device: DeviceId,
        /// When it arrived the first time.
        received_at: DateTime<Utc>,
        /// The payload as text, or as `base64:…` where it is no UTF-8.
        payload: String,
        /// Why it had been refused.
        reason: String,
    },
    /// It is off the list.
    DeadLetterDiscarded {
        /// The reason.
        comment: Option<String>,
    },
}

domain_event!(SettledLetterEvent { DeadLetterRedriven "1.0", DeadLetterDiscarded "1.0" });
