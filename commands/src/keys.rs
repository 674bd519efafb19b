//! The keys that commands need: the master key, which encrypts stored secrets, and the root CA.

use std::sync::Arc;

use certs::{MasterKey, RootAuthority};

/// The installation's own keys.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Encrypts the secrets in the log.
    pub master: MasterKey,
    /// Signs the CA of each new organisation.
    pub root: Arc<RootAuthority>,
    /// Public address of the API, if known; certificates name it as their CRL distribution point.
    pub public_url: Option<String>,
}

impl Keys {
    /// Combines a master key and a root CA.
    pub fn new(master: MasterKey, root: RootAuthority) -> Self {
        Self { master, root: Arc::new(root), public_url: None }
    }

    /// Sets the public address of the API, which certificates name as their CRL distribution point.
    pub fn published_at(self, public_url: Option<String>) -> Self {
        Self { public_url, ..self }
    }
}
