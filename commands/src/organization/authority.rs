//! Signs certificates with the CA of an organisation, which is renewed when a certificate would outlive it.

use certs::{Authority, IssuedDevice};
use domain::ids::{OrganizationId, derive};
use domain::organization::{Organization, OrganizationCommand};

use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::Error;

/// A certificate and the CA that signed it, or why it refused.
pub(crate) type SignedBy = (Authority, Result<IssuedDevice, certs::Error>);

impl Commands {
    /// Signs a certificate with the CA of an organisation; `None` if it has none. The CA's own certificate is renewed,
    /// for the same key, if the new certificate would outlive it; at most until the root expires.
    pub(crate) async fn sign_with_authority(
        &self,
        organization: OrganizationId,
        sign: impl Fn(&Authority) -> Result<IssuedDevice, certs::Error>,
    ) -> Result<Option<SignedBy>, Error> {
        let (vault, keys) = (&self.inner.vault, &self.inner.keys);
        let Some(mut authority) = vault.authority(keys, organization).await? else { return Ok(None) };
        let mut signed = sign(&authority);
        if matches!(signed, Err(certs::Error::OutlivesAuthority { .. })) {
            authority = vault.renew_authority(keys, authority, self.now()).await?;
            signed = sign(&authority);
        }
        self.record_authority(organization, &authority).await?;
        Ok(Some((authority, signed)))
    }

    /// Records the certificate of a CA unless the log has it: listeners accept devices by the recorded one. Also
    /// completes a renewal that was interrupted.
    async fn record_authority(&self, organization: OrganizationId, authority: &Authority) -> Result<(), Error> {
        let pem = authority.certificate_pem();
        let is_recorded = |known: &Organization| {
            known.certificate_authority.as_ref().is_some_and(|recorded| recorded.certificate_pem == pem)
        };
        let known = self.load_cached::<Organization>(organization, organization.0, is_recorded).await?;
        if is_recorded(&known) {
            return Ok(());
        }
        let recorded = known.certificate_authority.map(|recorded| recorded.certificate_pem).unwrap_or_default();
        let command = OrganizationCommand::RecordCertificateAuthority {
            certificate_pem: pem.to_owned(),
            subject_key_id: authority.key_id(),
            not_after: authority.not_after(),
        };
        let command_id = derive(organization.0, &["record authority", &recorded, pem]);
        let context = CommandContext::system("certificate_authority", organization, command_id);
        let recorded = self.execute::<Organization>(&context, organization.0, command).await;
        recorded.map(drop).map_err(|error| error.without_refusal())
    }
}
