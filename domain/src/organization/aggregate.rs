//! State of an organisation and its decisions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::policy::{DEFAULT_RETENTION_DAYS, check_retention};
use super::{CertificatePolicy, Error, OrganizationCommand, OrganizationEvent};
use crate::aggregate::{Decide, aggregate};
use crate::validation;

/// The state of an organisation, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    /// Its name; `None` until it is founded.
    pub name: Option<String>,
    /// Its certificate authority; `None` until it is created.
    pub certificate_authority: Option<CertificateAuthority>,
    /// Whether it is suspended: its devices and users are denied access.
    pub suspended: bool,
    /// How its devices' certificates are renewed.
    #[serde(default)]
    pub certificate_policy: CertificatePolicy,
    /// The chosen retention of its telemetry in days; `None` for the default.
    #[serde(default)]
    pub chosen_retention_days: Option<u32>,
}

/// The public part of an organisation's intermediate CA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CertificateAuthority {
    /// The CA certificate, PEM.
    pub certificate_pem: String,
    /// Its subject key identifier, lower-case hex.
    pub subject_key_id: String,
    /// End of validity.
    pub not_after: DateTime<Utc>,
}

impl Decide for Organization {
    type Command = OrganizationCommand;
    type Event = OrganizationEvent;
    type Error = Error;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use OrganizationCommand as C;
        match (command, &self.name) {
            (C::FoundOrganization { name }, None) => {
                Ok(vec![OrganizationEvent::OrganizationFounded { name: checked(&name)? }])
            }
            (C::FoundOrganization { .. }, Some(_)) => Err(Error::AlreadyExists),
            (_, None) => Err(Error::NotFound),
            (C::RenameOrganization { name }, Some(present)) => self.rename(&name, present),
            (C::RecordCertificateAuthority { certificate_pem, subject_key_id, not_after }, _) => {
                let authority = CertificateAuthority { certificate_pem, subject_key_id, not_after };
                Ok(self.record_authority(authority))
            }
            (C::ChangeCertificatePolicy { policy }, _) => {
                policy.check()?;
                let event = OrganizationEvent::CertificatePolicyChanged { policy };
                Ok((policy != self.certificate_policy).then_some(event).into_iter().collect())
            }
            (C::ChangeTelemetryRetention { days }, _) => {
                check_retention(days)?;
                let event = OrganizationEvent::TelemetryRetentionChanged { days };
                Ok((days != self.telemetry_retention_days()).then_some(event).into_iter().collect())
            }
            (C::NoteWebhookSecretReplaced {}, _) => Ok(vec![OrganizationEvent::WebhookSecretReplaced {}]),
            (C::SuspendOrganization { .. }, _) if self.suspended => Ok(vec![]),
            (C::SuspendOrganization { reason }, _) => Ok(vec![OrganizationEvent::OrganizationSuspended { reason }]),
            (C::ReinstateOrganization {}, _) if !self.suspended => Ok(vec![]),
            (C::ReinstateOrganization {}, _) => Ok(vec![OrganizationEvent::OrganizationReinstated {}]),
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match event {
            OrganizationEvent::OrganizationFounded { name } | OrganizationEvent::OrganizationRenamed { name } => {
                self.name = Some(name);
            }
            OrganizationEvent::CertificateAuthorityRecorded { certificate_pem, subject_key_id, not_after } => {
                self.certificate_authority = Some(CertificateAuthority { certificate_pem, subject_key_id, not_after });
            }
            OrganizationEvent::CertificatePolicyChanged { policy } => self.certificate_policy = policy,
            OrganizationEvent::TelemetryRetentionChanged { days } => self.chosen_retention_days = Some(days),
            OrganizationEvent::WebhookSecretReplaced {} => {}
            OrganizationEvent::OrganizationSuspended { .. } => self.suspended = true,
            OrganizationEvent::OrganizationReinstated {} => self.suspended = false,
        }
    }
}

aggregate!(Organization, "organization");

impl Organization {
    /// Returns the retention of its telemetry in days.
    pub fn telemetry_retention_days(&self) -> u32 {
        self.chosen_retention_days.unwrap_or(DEFAULT_RETENTION_DAYS)
    }

    fn rename(&self, name: &str, present: &str) -> Result<Vec<OrganizationEvent>, Error> {
        let name = checked(name)?;
        match name == present {
            // A repeated rename succeeds even while the organisation is suspended.
            true => Ok(vec![]),
            false if self.suspended => Err(Error::Suspended),
            false => Ok(vec![OrganizationEvent::OrganizationRenamed { name }]),
        }
    }

    fn record_authority(&self, authority: CertificateAuthority) -> Vec<OrganizationEvent> {
        if self.certificate_authority.as_ref() == Some(&authority) {
            return vec![];
        }
        let CertificateAuthority { certificate_pem, subject_key_id, not_after } = authority;
        vec![OrganizationEvent::CertificateAuthorityRecorded { certificate_pem, subject_key_id, not_after }]
    }
}

fn checked(name: &str) -> Result<String, Error> {
    validation::name(name).ok_or(Error::InvalidName)
}
