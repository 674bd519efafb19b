//! State and decisions; see the module.

use serde::{Deserialize, Serialize};

use super::{CertificateCommand, CertificateEvent, Error};
use crate::aggregate::{Decide, aggregate};

/// State of the aggregate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Certificate {}

impl Decide for Certificate {
    type Command = CertificateCommand;
    type Event = CertificateEvent;
    type Error = Error;

    fn decide(&self, _command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        Ok(vec![])
    }

    fn evolve(&mut self, _event: Self::Event) {}
}

aggregate!(Certificate, "certificate");
