//! Events of an organisation. They are stored forever: add new versions, never change an existing one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::CertificatePolicy;
use crate::aggregate::domain_event;

/// Events of an organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum OrganizationEvent {
    /// The organisation was founded.
    OrganizationFounded {
        /// Its name.
        name: String,
    },
    /// It was renamed.
    OrganizationRenamed {
        /// Its name.
        name: String,
    },
    /// The certificate of its certificate authority was recorded.
    CertificateAuthorityRecorded {
        /// The CA certificate, PEM.
        certificate_pem: String,
        /// Its subject key identifier, lower-case hex.
        subject_key_id: String,
        /// End of validity.
        not_after: DateTime<Utc>,
    },
    /// The renewal policy of its devices' certificates changed.
    CertificatePolicyChanged {
        /// The full new policy.
        policy: CertificatePolicy,
    },
    /// The retention of its telemetry changed.
    TelemetryRetentionChanged {
        /// Retention, days.
        days: u32,
    },
    /// The secret that signs its webhooks was replaced; the secret itself is stored outside the log.
    WebhookSecretReplaced {},
    /// It was suspended: its devices and users are denied access.
    OrganizationSuspended {
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// The suspension ended.
    OrganizationReinstated {},
}

domain_event!(OrganizationEvent {
    OrganizationFounded "1.0", OrganizationRenamed "1.0", CertificateAuthorityRecorded "1.0",
    CertificatePolicyChanged "1.0", OrganizationSuspended "1.0", OrganizationReinstated "1.0",
    WebhookSecretReplaced "1.0", TelemetryRetentionChanged "1.0",
});
