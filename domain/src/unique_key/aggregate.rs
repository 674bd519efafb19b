//! What a unique key remembers and how it decides.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Error, UniqueKeyCommand, UniqueKeyEvent};
use crate::aggregate::{Decide, aggregate};

/// A unique key as its events left it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UniqueKey {
    /// Who holds the value; absent while it is free.
    pub holder: Option<Uuid>,
}

impl Decide for UniqueKey {
    type Command = UniqueKeyCommand;
    type Event = UniqueKeyEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        match (command, self.holder) {
            (UniqueKeyCommand::ClaimKey { kind, holder }, None) => {
                Ok(vec![UniqueKeyEvent::KeyClaimed { kind, holder }])
            }
            (UniqueKeyCommand::ReleaseKey { .. }, None) => Ok(vec![]),
            (UniqueKeyCommand::ClaimKey { holder, .. }, Some(present)) if holder == present => Ok(vec![]),
            (UniqueKeyCommand::ReleaseKey { holder }, Some(present)) if holder == present => {
                Ok(vec![UniqueKeyEvent::KeyReleased { holder }])
            }
            (_, Some(present)) => Err(Error::HeldByAnother { holder: present }),
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        self.holder = match event {
            UniqueKeyEvent::KeyClaimed { holder, .. } => Some(holder),
            UniqueKeyEvent::KeyReleased { .. } => None,
        };
    }
}

aggregate!(UniqueKey, "unique_key");
