//! Events of an organisation. They are stored forever: add new versions, never change an existing one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::CertificatePolicy;
use crate::aggregate::domain_event;

/// Events of an organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OrganizationEvent {
    /// It began.
    OrganizationFounded {
        /// Its name.
        name: String,
    },
    /// It was renamed.
    OrganizationRenamed {
        /// Its name.
        name: String,
    },
    /// It has its own certificate authority.
    CertificateAuthorityRecorded {
        /// The CA certificate, PEM.
        certificate_pem: String,
        /// Its subject key identifier, lower-case hex.
        subject_key_id: String,
        /// End of validity.
        not_after: DateTime<Utc>,
    },
    /// Its devices' certificates are renewed otherwise.
    CertificatePolicyChanged {
        /// The whole choice.
        policy: CertificatePolicy,
    },
    /// Its telemetry is kept for another time.
    TelemetryRetentionChanged {
        /// Days.
        days: u32,
    },
    /// Webhooks are signed with another secret, which is kept elsewhere.
    WebhookSecretReplaced {},
    /// Its devices and people are shut out.
    OrganizationSuspended {
        /// The reason, as entered by whoever acted.
        reason: String,
    },
    /// They are let in again.
    OrganizationReinstated {},
}

domain_event!(OrganizationEvent {
    OrganizationFounded "1.0", OrganizationRenamed "1.0", CertificateAuthorityRecorded "1.0",
    CertificatePolicyChanged "1.0", OrganizationSuspended "1.0", OrganizationReinstated "1.0",
    WebhookSecretReplaced "1.0", TelemetryRetentionChanged "1.0",
});
