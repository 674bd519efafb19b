//! Commands of a unique key; `aggregate` decides on them.

use uuid::Uuid;

use super::KeyKind;
use crate::ids::OrganizationId;

/// Commands on a unique key.
#[derive(Clone, Debug, PartialEq)]
pub enum UniqueKeyCommand {
    /// Reserves the value.
    ClaimKey {
        /// What kind of value.
        kind: KeyKind,
        /// Who shall hold it.
        holder: Uuid,
        /// Where the holder lives.
        organization: OrganizationId,
    },
    /// Gives the value up.
    ReleaseKey {
        /// Who holds it.
        holder: Uuid,
    },
}
