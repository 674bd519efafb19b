//! Commands of an organisation; `aggregate` decides on them.

use chrono::{DateTime, Utc};

use super::CertificatePolicy;

/// Commands on an organisation.
#[derive(Clone, Debug, PartialEq)]
pub enum OrganizationCommand {
    /// Begins the organisation.
    FoundOrganization {
        /// Its name.
        name: String,
    },
    /// Renames it.
    RenameOrganization {
        /// Its name.
        name: String,
    },
    /// Notes the certificate of its own certificate authority.
    RecordCertificateAuthority {
        /// The CA certificate, PEM.
        certificate_pem: String,
        /// Its subject key identifier, lower-case hex.
        subject_key_id: String,
        /// End of validity.
        not_after: DateTime<Utc>,
    },
    /// Chooses how its devices' certificates are renewed.
    ChangeCertificatePolicy {
        /// The whole choice.
        policy: CertificatePolicy,
    },
    /// Chooses how long its telemetry is kept.
    ChangeTelemetryRetention {
        /// Days.
        days: u32,
    },
    /// Stops its devices and people.
    SuspendOrganization {
        /// The reason, as entered by whoever acted.
        reason: String,
    },
    /// Lets them in again.
    ReinstateOrganization {},
    /// Notes that webhooks are signed with another secret.
    NoteWebhookSecretReplaced {},
}
