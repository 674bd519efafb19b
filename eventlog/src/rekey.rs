//! Changes the master key: decrypts each secret with the old key and encrypts it with the new one, one at a time. If
//! interrupted, running it again with the same keys completes it. No process that holds the old key may run meanwhile.

use crate::buckets;
use crate::connection::Log;
use crate::secrets::{CHECK_NAME, CHECK_VALUE, Error, Secrets};

/// The result of a rekey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rekeyed {
    /// Secrets re-encrypted with the new key.
    pub changed: usize,
    /// Secrets that were already encrypted with the new key.
    pub already: usize,
}

/// Re-encrypts all secrets with the new master key. `change` may transform a secret's plaintext, for values encrypted
/// inside it. Errors with [`Error::WrongKey`] when the secrets were encrypted with neither key.
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
    // The check value comes last: until it is re-encrypted, no process can start with the new key.
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
