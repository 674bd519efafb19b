//! What may be asked of a unique key. What does not live here: the decision.

use uuid::Uuid;

use super::KeyKind;

/// Commands on a unique key.
#[derive(Clone, Debug, PartialEq)]
pub enum UniqueKeyCommand {
    /// Reserves the value.
    ClaimKey {
        /// What kind of value.
        kind: KeyKind,
        /// Who shall hold it.
        holder: Uuid,
    },
    /// Gives the value up.
    ReleaseKey {
        /// Who holds it.
        holder: Uuid,
    },
}
