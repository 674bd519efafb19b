//! Events of a unique key. They are stored forever: add new versions, never change an existing one.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::KeyKind;
use crate::aggregate::domain_event;
use crate::ids::OrganizationId;

/// Events of a unique key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UniqueKeyEvent {
    /// The value was claimed.
    KeyClaimed {
        /// The kind of value.
        kind: KeyKind,
        /// The holder.
        holder: Uuid,
        /// The holder's organisation.
        organization: OrganizationId,
    },
    /// The value was released.
    KeyReleased {
        /// The former holder.
        holder: Uuid,
    },
}

domain_event!(UniqueKeyEvent { KeyClaimed "1.0", KeyReleased "1.0" });
