//! Seals the log once a day.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use certs::RootAuthority;
use eventlog::Log;
use tracing::info;

use crate::create::create;
use crate::files::is_sealed;
use crate::{Clock, Error, Files, Seal};

/// How often to check whether today's seal exists.
const CHECK_EVERY: Duration = Duration::from_secs(600);

/// Time of the last seal, seconds since 1970.
const SEALED_AT: &str = "argusiq_audit_sealed_timestamp_seconds";
/// Number of failed attempts to seal.
const FAILURES: &str = "argusiq_audit_seal_failures_total";

/// Seals the log once a day (UTC) into `folder`, for ever. A failed attempt is logged, counted and retried.
pub async fn run_daily(log: &Log, root: &RootAuthority, folder: &Path, clock: &Clock) -> Infallible {
    // Registers the counter, so that a scrape shows 0 before the first failure.
    metrics::counter!(FAILURES).absolute(0);
    loop {
        if !is_sealed(folder, clock().date_naive()) {
            report(create(log, root, folder, clock).await);
        }
        tokio::time::sleep(CHECK_EVERY).await;
    }
}

fn report(sealed: Result<(Files, Seal), Error>) {
    match sealed {
        Ok((files, seal)) => {
            info!(file = %files.seal.display(), aggregates = seal.aggregates, root = %seal.root, "sealed the log");
            metrics::gauge!(SEALED_AT).set(seal.sealed_at.timestamp() as f64);
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "failed to seal the log");
            metrics::counter!(FAILURES).increment(1);
        }
    }
}
