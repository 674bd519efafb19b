//! Commands of a unique key; `aggregate` decides on them.

use uuid::Uuid;

use super::KeyKind;
use crate::ids::OrganizationId;

/// Commands on a unique key.
#[derive(Clone, Debug, PartialEq)]
pub enum UniqueKeyCommand {
    /// Claims the value.
    ClaimKey {
        /// The kind of value.
        kind: KeyKind,
        /// The future holder.
        holder: Uuid,
        /// The holder's organisation.
        organization: OrganizationId,
    },
    /// Releases the value.
    ReleaseKey {
        /// The current holder.
        holder: Uuid,
    },
}
