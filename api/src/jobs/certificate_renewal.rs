//! Renews expiring certificates of organisations that enabled automatic renewal. The command decides from the log
//! whether a certificate may be renewed, so running this in several processes changes nothing.

use std::time::Duration;

use domain::ids::{CertificateId, OrganizationId};
use eventlog::error_chain;
use projections::certificate_register::read;

use super::job::Job;
use crate::state::State;

/// Most certificates of one run.
const BATCH: i64 = 1_000;

/// Renews expiring certificates.
pub struct CertificateRenewal;

impl Job for CertificateRenewal {
    const NAME: &'static str = "certificate_renewal";
    const PERIOD: Duration = Duration::from_secs(5);
    type Error = projections::Error;

    async fn run(&self, state: &State) -> Result<(), projections::Error> {
        for (organization, certificate) in read::unrenewed(&state.reader, state.now(), BATCH).await? {
            let renewed =
                state.commands.renew_automatically(OrganizationId(organization), CertificateId(certificate)).await;
            match renewed {
                Ok(Some(_)) => metrics::counter!("argusiq_certificates_renewed_total").increment(1),
                Ok(None) => {}
                // One failure must not hold up the others; the next run finds this certificate again.
                Err(error) => {
                    tracing::warn!(%certificate, error = error_chain(&error), "certificate not renewed; retrying")
                }
            }
        }
        Ok(())
    }
}
