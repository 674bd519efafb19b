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
}

impl Keys {
    /// Returns keys of a master key and a root CA.
    pub fn new(master: MasterKey, root: RootAuthority) -> Self {
        Self { master, root: Arc::new(root) }
    }
}
