//! The authorisation decision: binds certificate, organisation, device and topics together. Pure functions of the
//! presented credentials and the state of the log; `directory` provides that state.

use std::sync::Arc;

use certs::Identity;
use certs::identity::Error as CertificateError;
use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, OrganizationId};
use rustls_pki_types::CertificateDer;

/// The latest state in the log that concerns a presented certificate.
#[derive(Clone, Debug)]
pub struct View {
    /// The platform's root certificate.
    pub root: Arc<CertificateDer<'static>>,
    /// The organisation that the certificate names, if it exists.
    pub organization: Option<OrganizationView>,
    /// The device that the certificate names, if it exists.
    pub device: Option<DeviceView>,
    /// The certificate with this serial number, if it was issued.
    pub certificate: Option<CertificateView>,
}

/// State of an organisation.
#[derive(Clone, Debug, Default)]
pub struct OrganizationView {
    /// Whether the organisation is suspended, so that none of its devices may connect.
    pub suspended: bool,
    /// The certificate of the organisation's CA, if it has one.
    pub authority: Option<Arc<CertificateDer<'static>>>,
}

/// State of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// Its organisation.
    pub organization: OrganizationId,
    /// Whether it is permanently out of service.
    pub decommissioned: bool,
    /// Whether a protocol converter parses its payloads.
    pub is_converted: bool,
}

/// State of an issued certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateView {
    /// The device it was issued for.
    pub device: DeviceId,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// State of a device token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenView {
    /// The device it was issued for.
    pub device: DeviceId,
    /// Whether it was revoked.
    pub revoked: bool,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// The answer to a CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The device may connect.
    Allow(Allowed),
    /// The device may not connect.
    Deny(Reason),
}

/// What an admitted device may do, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Its organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
    /// The topics it may use.
    pub topics: Topics,
    /// When its certificate expires; the session ends then.
    pub expires_at: DateTime<Utc>,
}

/// The topics of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// The only topic it may publish to: `v1/telemetry/{organisation}/{device}`.
    pub telemetry: String,
    /// The only topic it may subscribe to: `v1/commands/{organisation}/{device}`.
    pub commands: String,
}

impl Topics {
    /// Returns the topics of a device.
    pub fn of(organization: OrganizationId, device: DeviceId) -> Self {
        Self {
            telemetry: format!("v1/telemetry/{organization}/{device}"),
            commands: format!("v1/commands/{organization}/{device}"),
        }
    }
}

/// Why a device may not connect or stay connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The certificate is not a device certificate, or its fields contradict each other.
    UnreadableCertificate,
    /// The client id differs from the device id.
    WrongClientId,
    /// The organisation does not exist or has no CA.
    UnknownOrganization,
    /// The certificate is not signed by the CA of the organisation that it names.
    ForeignAuthority,
    /// The certificate or its CA's is not yet valid.
    NotYetValid,
    /// The certificate, its CA's or the token has expired.
    Expired,
    /// No certificate with this serial number was issued to this device.
    UnknownCertificate,
    /// The certificate, or the token, was revoked.
    Revoked,
    /// No such token was issued.
    UnknownToken,
    /// No such device.
    UnknownDevice,
    /// The device belongs to another organisation.
    WrongOrganization,
    /// The device is out of service.
    Decommissioned,
    /// The organisation is suspended.
    OrganizationSuspended,
}

impl Reason {
    /// The stable code in presence facts, metrics and logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnreadableCertificate => "unreadable_certificate",
            Self::WrongClientId => "wrong_client_id",
            Self::UnknownOrganization => "unknown_organization",
            Self::ForeignAuthority => "foreign_authority",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::UnknownCertificate => "unknown_certificate",
            Self::Revoked => "revoked",
            Self::UnknownToken => "unknown_token",
            Self::UnknownDevice => "unknown_device",
            Self::WrongOrganization => "wrong_organization",
            Self::Decommissioned => "decommissioned",
            Self::OrganizationSuspended => "organization_suspended",
        }
    }

    /// Tells whether events that have not been folded yet could lift the denial. Such a denial counts only after the
    /// directory has caught up with the log.
    pub fn may_be_stale(self) -> bool {
        matches!(
            self,
            Self::UnknownOrganization
                | Self::UnknownCertificate
                | Self::UnknownToken
                | Self::UnknownDevice
                | Self::ForeignAuthority
                | Self::OrganizationSuspended
        )
    }
}

/// Decides on a CONNECT. The chain must be signed by the CA of the organisation that the certificate names and be valid
/// at `now`, the client id must be the device id, and the device must be in good standing.
pub fn authorize_connect(chain: &[CertificateDer<'_>], client_id: &str, view: &View, now: DateTime<Utc>) -> Decision {
    match decide(chain, client_id, view, now) {
        Ok(allowed) => Decision::Allow(allowed),
        Err(reason) => Decision::Deny(reason),
    }
}

/// Decides whether a connected device may stay; checks everything that can change during a session.
pub fn authorize_session(identity: &Identity, view: &View, now: DateTime<Utc>) -> Result<(), Reason> {
    let device = DeviceId(identity.device);
    let organization = view.organization.as_ref().ok_or(Reason::UnknownOrganization)?;
    let certificate = view.certificate.filter(|known| known.device == device).ok_or(Reason::UnknownCertificate)?;
    let known = view.device.ok_or(Reason::UnknownDevice)?;
    if certificate.revoked {
        return Err(Reason::Revoked);
    }
    if known.organization.0 != identity.organization {
        return Err(Reason::WrongOrganization);
    }
    in_standing(known, organization)?;
    in_date(identity, now)
}

/// Decides whether a device token is accepted: issued, not revoked, not expired at `now`, its device in service and its
/// organisation not suspended. Returns the organisation.
pub fn authorize_token(
    token: Option<TokenView>,
    device: Option<DeviceView>,
    organization: Option<&OrganizationView>,
    now: DateTime<Utc>,
) -> Result<OrganizationId, Reason> {
    let token = token.ok_or(Reason::UnknownToken)?;
    let device = device.ok_or(Reason::UnknownDevice)?;
    let organization = organization.ok_or(Reason::UnknownOrganization)?;
    if token.revoked {
        return Err(Reason::Revoked);
    }
    if now >= token.expires_at {
        return Err(Reason::Expired);
    }
    in_standing(device, organization)?;
    Ok(device.organization)
}

/// Decides whether a device may be registered at a broker that verifies certificates itself: it is in service, its
/// organisation is not suspended, and at least one of its certificates is neither revoked nor expired. `certificates`
/// are all that were issued to it, each with its expiry. Returns the organisation.
pub fn authorize_device(
    device: DeviceView,
    organization: Option<&OrganizationView>,
    certificates: impl IntoIterator<Item = (CertificateView, DateTime<Utc>)>,
    now: DateTime<Utc>,
) -> Result<OrganizationId, Reason> {
    in_standing(device, organization.ok_or(Reason::UnknownOrganization)?)?;
    let mut reason = Reason::UnknownCertificate;
    for (certificate, not_after) in certificates {
        match (certificate.revoked, now >= not_after) {
            (false, false) => return Ok(device.organization),
            (true, _) => reason = Reason::Revoked,
            (false, true) => reason = Reason::Expired,
        }
    }
    Err(reason)
}

fn in_standing(device: DeviceView, organization: &OrganizationView) -> Result<(), Reason> {
    if device.decommissioned {
        return Err(Reason::Decommissioned);
    }
    if organization.suspended {
        return Err(Reason::OrganizationSuspended);
    }
    Ok(())
}

fn decide(chain: &[CertificateDer<'_>], client_id: &str, view: &View, now: DateTime<Utc>) -> Result<Allowed, Reason> {
    let authority = view.organization.as_ref().and_then(|organization| organization.authority.as_deref());
    let identity = match authority {
        Some(authority) => {
            certs::verify_chain(chain, &view.root, authority, now).map_err(|error| refusal(&error, now))?
        }
        None => {
            return Err(certs::identity(chain).map_or(Reason::UnreadableCertificate, |_| Reason::UnknownOrganization));
        }
    };
    // A client id in another spelling of the same UUID would be a second client at a broker.
    if client_id != identity.device.to_string() {
        return Err(Reason::WrongClientId);
    }
    authorize_session(&identity, view, now)?;
    let (organization, device) = (OrganizationId(identity.organization), DeviceId(identity.device));
    Ok(Allowed { organization, device, topics: Topics::of(organization, device), expires_at: identity.not_after })
}

fn refusal(error: &CertificateError, now: DateTime<Utc>) -> Reason {
    match error {
        CertificateError::NotInDate { not_before, .. } if now < *not_before => Reason::NotYetValid,
        CertificateError::NotInDate { .. } => Reason::Expired,
        CertificateError::Signature(..) | CertificateError::Role(_) => Reason::ForeignAuthority,
        CertificateError::Disagree(_, "organisation CA's O") => Reason::ForeignAuthority,
        _ => Reason::UnreadableCertificate,
    }
}

fn in_date(identity: &Identity, now: DateTime<Utc>) -> Result<(), Reason> {
    // The last second of the validity counts to its end, hence the comparison in whole seconds.
    if now < identity.not_before {
        Err(Reason::NotYetValid)
    } else if now.timestamp() > identity.not_after.timestamp() {
        Err(Reason::Expired)
    } else {
        Ok(())
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
