//! Renews expiring certificates of organisations that chose so. It runs in every process of the API, which alone has the
//! keys of authorities; that several do the same at once changes nothing. What does not live here: whether a certificate
//! may be renewed; that is decided from the log.

use std::time::Duration;

use domain::ids::{CertificateId, OrganizationId};
use projections::certificate_register::read;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::error_mapping::chain;
use crate::state::State;

/// Time between looks.
const PERIOD: Duration = Duration::from_secs(5);
/// Most certificates of one look.
const MOST: i64 = 1_000;

/// Renews what is due, until `shutdown`.
pub async fn run(state: State, shutdown: CancellationToken) -> Result<(), Error> {
    let mut period = interval(PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while shutdown.run_until_cancelled(period.tick()).await.is_some() {
        let looked = shutdown.run_until_cancelled(look(&state)).await;
        if let Some(Err(error)) = looked {
            tracing::warn!(error = chain(&error), "expiring certificates could not be listed");
        }
    }
    Ok(())
}

async fn look(state: &State) -> Result<(), projections::Error> {
    for (organization, certificate) in read::unrenewed(&state.reader, state.now(), MOST).await? {
        let renewed =
            state.commands.renew_automatically(OrganizationId(organization), CertificateId(certificate)).await;
        match renewed {
            Ok(Some(_)) => metrics::counter!("argusiq_certificates_renewed_total").increment(1),
            Ok(None) => {}
            // The next look finds it again.
            Err(error) => tracing::warn!(%certificate, error = chain(&error), "a certificate was not renewed"),
        }
    }
    Ok(())
}
