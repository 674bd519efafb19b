//! Events of a unique key. They are stored forever: add new versions, never change an existing one.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::KeyKind;
use crate::aggregate::domain_event;
use crate::ids::OrganizationId;

/// Events of a unique key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UniqueKeyEvent {
    /// The value is reserved.
    KeyClaimed {
        /// What kind of value.
        kind: KeyKind,
        /// Who holds it.
        holder: Uuid,
        /// Where the holder lives.
        organization: OrganizationId,
    },
    /// The value is free again.
    KeyReleased {
        /// Who held it.
        holder: Uuid,
    },
}

domain_event!(UniqueKeyEvent { KeyClaimed "1.0", KeyReleased "1.0" });
