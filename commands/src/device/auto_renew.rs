//! Renewing without anybody asking, where the organisation chose so: the new certificate is for the key that the device
//! has, so that no key travels, and waits until the device fetches it.

use chrono::{DateTime, Utc};
use domain::certificate::{Certificate, Issued};
use domain::ids::{CertificateId, OrganizationId, derive};

use super::issue::KeySource;
use super::refusal::Refusal;
use super::renew::{RenewedCertificate, latest_receipt};
use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::Error;

/// The part of the platform that acts.
const PART: &str = "certificate_renewal";

impl Commands {
    /// Renews an expiring certificate for its own key and as long as before, if the organisation chose so; `None` where
    /// it did not, or where there is nothing to renew. It may be called as often as one likes, by several processes at
    /// once.
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
        let noted = self.supersede(&context, device, renewed.id, None).await?;
        Ok(Some(RenewedCertificate { certificate: renewed, receipt: latest_receipt(receipt, noted) }))
    }
}

/// Returns for how many days a certificate was issued.
pub(super) fn lifetime_days(issued: &Issued) -> u32 {
    days_between(issued.not_before, issued.not_after)
}

fn days_between(start: DateTime<Utc>, end: DateTime<Utc>) -> u32 {
    // A validity begins some minutes before it was issued.
    u32::try_from((end - start).num_days()).unwrap_or(1).clamp(1, 3_650)
}
