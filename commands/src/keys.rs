//! The keys that commands need: the master key, under which secrets are stored, and the root CA.

use std::sync::Arc;

use certs::{MasterKey, RootAuthority};

/// The installation's own keys.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Under it the secrets in the log are sealed.
    pub master: MasterKey,
    /// It signs the CA of each new organisation.
    pub root: Arc<RootAuthority>,
    /// Where the API is reached from outside: certificates name their revocation list there, where it is known.
    pub public_url: Option<String>,
}

impl Keys {
    /// Returns keys of a master key and a root CA.
    pub fn new(master: MasterKey, root: RootAuthority) -> Self {
        Self { master, root: Arc::new(root), public_url: None }
    }

    /// Has certificates name their revocation list at this address of the API.
    pub fn published_at(self, public_url: Option<String>) -> Self {
        Self { public_url, ..self }
    }
}
