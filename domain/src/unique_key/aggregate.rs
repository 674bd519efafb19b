//! State of a unique key and its decisions.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Error, UniqueKeyCommand, UniqueKeyEvent};
use crate::aggregate::{Decide, aggregate};
use crate::ids::OrganizationId;

/// The state of a unique key, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UniqueKey {
    /// The holder of the value; `None` while it is free.
    pub holder: Option<Holder>,
}

/// The holder of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The device or user.
    pub id: Uuid,
    /// The holder's organisation.
    pub organization: OrganizationId,
}

impl Decide for UniqueKey {
    type Command = UniqueKeyCommand;
    type Event = UniqueKeyEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use UniqueKeyCommand as C;
        match (command, self.holder.map(|holder| holder.id)) {
            (C::ClaimKey { kind, holder, organization }, None) => {
                Ok(vec![UniqueKeyEvent::KeyClaimed { kind, holder, organization }])
            }
            (C::ReleaseKey { .. }, None) => Ok(vec![]),
            // A resumed process may claim its key again.
            (C::ClaimKey { holder, .. }, Some(present)) if holder == present => Ok(vec![]),
            (C::ReleaseKey { holder }, Some(present)) if holder == present => {
                Ok(vec![UniqueKeyEvent::KeyReleased { holder }])
            }
            (_, Some(present)) => Err(Error::HeldByAnother { holder: present }),
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        self.holder = match event {
            UniqueKeyEvent::KeyClaimed { holder, organization, .. } => Some(Holder { id: holder, organization }),
            UniqueKeyEvent::KeyReleased { .. } => None,
        };
    }
}

aggregate!(UniqueKey, "unique_key");
