//! Secrets under another master key: each is opened with the old key and sealed with the new one, one after the other.
//! Broken off halfway, the same again completes it. No process that holds the old key may run meanwhile.

use crate::buckets;
use crate::connection::Log;
use crate::secrets::{CHECK_NAME, CHECK_VALUE, Error, Secrets};

/// What became of the secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rekeyed {
    /// Sealed with the new key now.
    pub changed: usize,
    /// Sealed with it before.
    pub already: usize,
}

/// Seals all secrets with the new master key. `change` may change a secret's plaintext, for what is sealed within it.
/// Errors with [`Error::WrongKey`] where the secrets were sealed with neither.
pub async fn rekey(
    log: &Log,
    old_key: [u8; 32],
    new_key: [u8; 32],
    change: impl Fn(&str, Vec<u8>) -> Result<Vec<u8>, Error>,
) -> Result<Rekeyed, Error> {
    let (old, new) = (Secrets::unchecked(log, old_key).await?, Secrets::unchecked(log, new_key).await?);
    let marked = [&old, &new].map(|secrets| secrets.get(CHECK_NAME));
    let [by_old, by_new] = marked;
    let known = |value: Result<Option<Vec<u8>>, Error>| match value {
        Ok(value) => Ok(value.as_deref() == Some(CHECK_VALUE)),
        Err(Error::Undecryptable(_)) => Ok(false),
        Err(error) => Err(error),
    };
    if !known(by_old.await)? && !known(by_new.await)? {
        return Err(Error::WrongKey);
    }
    let mut rekeyed = Rekeyed::default();
    // The mark last: until then the new key opens no process.
    for name in old.names().await?.iter().map(String::as_str).chain([CHECK_NAME]) {
        let Some((sealed, revision)) = old.bucket.get(name).await? else { continue };
        if new.unseal(name, &sealed).is_ok() {
            rekeyed.already += 1;
            continue;
        }
        let plaintext = old.unseal(name, &sealed)?;
        let plaintext = if name == CHECK_NAME { plaintext } else { change(name, plaintext)? };
        match old.bucket.update(name, new.seal(name, &plaintext)?, revision).await {
            Ok(_) => rekeyed.changed += 1,
            Err(error @ buckets::Error::Conflict { .. }) => return Err(Error::WrittenMeanwhile(error)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(rekeyed)
}
