//! Authenticates devices by their client certificate and renews it. The handshake has proved possession of the private
//! key; whether the certificate is valid is decided here, from the log.

use std::fmt;

use certs::{Identity, verify_chain};
use chrono::TimeDelta;
use data_encoding::HEXLOWER;
use domain::certificate::{Certificate, Issued};
use domain::ids::{CertificateId, DeviceId, OrganizationId, derive};
use domain::metadata::Actor;
use domain::organization::CertificatePolicy;
use rustls_pki_types::CertificateDer;
use uuid::Uuid;

use super::auto_renew::lifetime_days;
use super::issue::IssuedCertificate;
use super::refusal::Refusal;
use super::renew::{Renewal, RenewedCertificate};
use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::Error;

/// A device that its certificate authenticates.
#[derive(Clone)]
pub struct AuthenticatedDevice {
    /// Its organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
    /// The certificate that it presented.
    pub certificate: CertificateId,
    issued: Issued,
    policy: CertificatePolicy,
}

impl fmt::Debug for AuthenticatedDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticatedDevice").field("device", &self.device).finish_non_exhaustive()
    }
}

impl Commands {
    /// Authenticates the device that presents a certificate chain. The certificate must be signed by the CA of the
    /// organisation it names, be within its validity and not revoked, and its device must be in service.
    pub async fn authenticate_device(
        &self,
        chain: &[CertificateDer<'_>],
    ) -> Result<AuthenticatedDevice, Error<Refusal>> {
        let refused = |error| Error::Refused(Refusal::PresentedCertificate(error));
        // The unverified identity only selects the organisation whose CA then verifies the chain.
        let claimed = certs::identity(chain).map_err(refused)?;
        let organization = OrganizationId(claimed.organization);
        let active = self.active_organization(organization).await;
        let policy = active.map_err(|error| error.map_refused(Refusal::Organization))?.certificate_policy;
        let authority = self.inner.vault.authority(&self.inner.keys, organization).await.map_err(Error::widen)?;
        let authority = authority.ok_or(Error::Refused(Refusal::NoAuthority))?;
        let root = self.inner.keys.root.certificate();
        let identity = verify_chain(chain, root, authority.certificate(), self.now()).map_err(refused)?;
        let (certificate, issued) = self.certificate_of(organization, &identity).await?;
        let device = DeviceId(identity.device);
        let context = CommandContext::system("enrolment", organization, Uuid::nil());
        self.device_in_service(&context, device).await?;
        Ok(AuthenticatedDevice { organization, device, certificate, issued, policy })
    }

    /// Issues the next certificate of an authenticated device, for the key of a signing request and with the lifetime
    /// of the presented one. The same request returns the same certificate again.
    pub async fn renew_by_certificate(
        &self,
        presented: &AuthenticatedDevice,
        csr_pem: &str,
        correlation_id: Uuid,
    ) -> Result<RenewedCertificate, Error<Refusal>> {
        let context = presented.context(&["renew", &digest(csr_pem)], correlation_id);
        let validity_days = lifetime_days(&presented.issued);
        let renewal = Renewal { validity_days, csr_pem: Some(csr_pem.to_owned()), overlap_days: None };
        self.renew_certificate(&context, presented.device, renewal).await
    }

    /// Returns the newest valid certificate of an authenticated device. If that is not the presented one, fetching it
    /// starts the overlap of the presented one.
    pub async fn newest_certificate(
        &self,
        presented: &AuthenticatedDevice,
        correlation_id: Uuid,
    ) -> Result<IssuedCertificate, Error<Refusal>> {
        let all = self.certificates_of(presented.organization, presented.device).await.map_err(Error::widen)?;
        let newest = all.into_iter().rev().find(|(_, loaded)| !loaded.state.has_ended());
        let (id, loaded) = newest.ok_or(Error::Refused(Refusal::PresentedRevoked))?;
        if id != presented.certificate {
            let context = presented.context(&["fetch", &id.to_string()], correlation_id);
            let overlap_ends_at = self.now() + TimeDelta::days(presented.policy.overlap_days.into());
            self.supersede(&context, presented.device, id, Some(overlap_ends_at)).await?;
        }
        self.stored_certificate(presented.organization, id, loaded.state.issued).await
    }

    async fn certificate_of(
        &self,
        organization: OrganizationId,
        identity: &Identity,
    ) -> Result<(CertificateId, Issued), Error<Refusal>> {
        let all = self.certificates_of(organization, DeviceId(identity.device)).await.map_err(Error::widen)?;
        let found = all.into_iter().find_map(|(id, loaded)| match loaded.state {
            Certificate { issued: Some(issued), revoked: None, .. }
                if issued.serial_number == identity.serial.as_str() =>
            {
                Some((id, issued))
            }
            _ => None,
        });
        found.ok_or(Error::Refused(Refusal::PresentedRevoked))
    }
}

impl AuthenticatedDevice {
    fn context(&self, what: &[&str], correlation_id: Uuid) -> CommandContext {
        CommandContext {
            actor: Actor::Device(self.device),
            organization: self.organization,
            command_id: derive(self.certificate.0, what),
            correlation_id,
            causation_id: None,
            traceparent: None,
        }
    }
}

/// Returns the SHA-256 of a text in lower-case hex, which identifies a signing request.
pub(super) fn digest(text: &str) -> String {
    HEXLOWER.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref())
}
