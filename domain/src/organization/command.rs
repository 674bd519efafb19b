//! Commands of an organisation; `aggregate` decides on them.

use chrono::{DateTime, Utc};

use super::CertificatePolicy;

/// Commands on an organisation.
#[derive(Clone, Debug, PartialEq)]
pub enum OrganizationCommand {
    /// Founds the organisation.
    FoundOrganization {
        /// Its name.
        name: String,
    },
    /// Renames it.
    RenameOrganization {
        /// Its name.
        name: String,
    },
    /// Records the certificate of its certificate authority.
    RecordCertificateAuthority {
        /// The CA certificate, PEM.
        certificate_pem: String,
        /// Its subject key identifier, lower-case hex.
        subject_key_id: String,
        /// End of validity.
        not_after: DateTime<Utc>,
    },
    /// Changes how its devices' certificates are renewed.
    ChangeCertificatePolicy {
        /// The full new policy.
        policy: CertificatePolicy,
    },
    /// Changes how long its telemetry is kept.
    ChangeTelemetryRetention {
        /// Retention, days.
        days: u32,
    },
    /// Suspends it: denies access to its devices and users.
    SuspendOrganization {
        /// The reason, as entered by the actor.
        reason: String,
    },
    /// Ends the suspension.
    ReinstateOrganization {},
    /// Records that the secret that signs its webhooks was replaced.
    NoteWebhookSecretReplaced {},
}
