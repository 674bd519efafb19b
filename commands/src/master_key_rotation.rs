//! Rotates the master key of the secrets in the log, including the keys of the organisations' CAs.

use certs::{MasterKey, SealedAuthority};
use eventlog::rekey::{Rekeyed, rekey};
use eventlog::{Log, secrets};

use crate::error::Error;
use crate::vault::is_authority;

/// Re-encrypts all secrets under the new master key. Every process that uses the old key must be stopped first. An
/// interrupted rotation completes when it is run again.
pub async fn rotate_master_key(log: &Log, old: &MasterKey, new: &MasterKey) -> Result<Rekeyed, Error> {
    let change = |name: &str, plaintext: Vec<u8>| {
        // A CA key is sealed twice: the encrypted secret contains a `SealedAuthority` under the same master key.
        if !is_authority(name) {
            return Ok(plaintext);
        }
        reseal(&plaintext, old, new).ok_or_else(|| secrets::Error::NestedSeal(name.to_owned()))
    };
    Ok(rekey(log, *old.expose(), *new.expose(), change).await?)
}

fn reseal(plaintext: &[u8], old: &MasterKey, new: &MasterKey) -> Option<Vec<u8>> {
    let sealed: SealedAuthority = serde_json::from_slice(plaintext).ok()?;
    serde_json::to_vec(&sealed.open(old).ok()?.seal(new).ok()?).ok()
}
