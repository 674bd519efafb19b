//! Compromised keys: a certificate revoked because its key was, bars the key on the whole platform for good.

use domain::certificate::{Certificate, RevocationCode};
use domain::ids::CertificateId;

use super::issue::KeySource;
use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::{Cause, Error};
use crate::unique_claim::{Key, device_holder};

impl Commands {
    /// Bars the key of a certificate that is to be revoked with this code, if that says that the key is compromised. It
    /// comes before the revocation, which a repeat would not find undone.
    pub(super) async fn block_compromised_key(
        &self,
        context: &CommandContext,
        certificate: CertificateId,
        code: RevocationCode,
    ) -> Result<(), Error<Refusal>> {
        if code != RevocationCode::KeyCompromise {
            return Ok(());
        }
        let found = self.load::<Certificate>(context.organization, certificate.0).await.map_err(Error::widen)?;
        let Some(issued) = found.and_then(|(known, _)| known.issued) else { return Ok(()) };
        let key = key_of(&issued.certificate_pem)?;
        let holder = device_holder(context.organization, issued.device_id);
        self.claim(context, key, holder).await.map(drop).map_err(Error::widen)
    }

    /// Refuses to certify a key that is barred; one that is made here cannot be.
    pub(super) async fn refuse_compromised_key(
        &self,
        key: KeySource<'_>,
        certificate_pem: &str,
    ) -> Result<(), Error<Refusal>> {
        if matches!(key, KeySource::Generate) {
            return Ok(());
        }
        let holder = self.holder_of(key_of(certificate_pem)?).await.map_err(Error::widen)?;
        if holder.is_some() { Err(Error::Refused(Refusal::CompromisedKey)) } else { Ok(()) }
    }
}

fn key_of(certificate_pem: &str) -> Result<Key, Error<Refusal>> {
    let digest = certs::identity::public_key_digest(certificate_pem);
    Ok(Key::compromised(&digest.map_err(|error| Error::Internal(Cause::from(error)))?))
}
