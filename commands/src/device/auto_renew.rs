//! Renews expiring certificates automatically where the organisation enables it. The new certificate certifies the
//! device's present key, so no private key is transferred; the device fetches the certificate later.

use chrono::{DateTime, Utc};
use domain::certificate::{Certificate, Issued};
use domain::ids::{CertificateId, OrganizationId, derive};

use super::issue::KeySource;
use super::refusal::Refusal;
use super::renew::{RenewedCertificate, latest_receipt};
use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::Error;

/// The actor of the recorded events.
const PART: &str = "certificate_renewal";

impl Commands {
    /// Renews an expiring certificate for the same key and lifetime if the organisation enables automatic renewal.
    /// Returns `None` if it does not, or if there is nothing to renew. Safe to call repeatedly and from several
    /// processes at once.
    pub async fn renew_automatically(
        &self,
        organization: OrganizationId,
        certificate: CertificateId,
    ) -> Result<Option<RenewedCertificate>, Error<Refusal>> {
        let active = self.active_organization(organization).await;
        let policy = active.map_err(|error| error.map_refused(Refusal::Organization))?.certificate_policy;
        let found = self.load::<Certificate>(organization, certificate.0).await.map_err(Error::widen)?;
        let Some((Certificate { issued: Some(issued), expiring: true, renewed: None, revoked: None, .. }, _)) = found
        else {
            return Ok(None);
        };
        if !policy.automatic_renewal || issued.not_after <= self.now() {
            return Ok(None);
        }
        let command_id = derive(certificate.0, &["automatic renewal"]);
        let context = CommandContext::system(PART, organization, command_id);
        let device = issued.device_id;
        self.device_in_service(&context, device).await?;
        let key = KeySource::Certificate(&issued.certificate_pem);
        let (renewed, receipt) = self.issue_another(&context, device, key, lifetime_days(&issued)).await?;
        // No end of the overlap yet: it starts when the device fetches the new certificate.
        let noted = self.supersede(&context, device, renewed.id, None).await?;
        Ok(Some(RenewedCertificate { certificate: renewed, receipt: latest_receipt(receipt, noted) }))
    }
}

/// Returns the number of days for which a certificate was issued.
pub(super) fn lifetime_days(issued: &Issued) -> u32 {
    days_between(issued.not_before, issued.not_after)
}

fn days_between(start: DateTime<Utc>, end: DateTime<Utc>) -> u32 {
    // notBefore is backdated by a few minutes; `num_days` rounds down to the number of days that was requested.
    u32::try_from((end - start).num_days()).unwrap_or(1).clamp(1, 3_650)
}
