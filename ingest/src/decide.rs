//! The one decision on who may connect: certificate, organisation, device and topics bound together. Pure functions of
//! what was presented and what the log says; where the facts come from and what happens to a refused device is elsewhere.

use std::sync::Arc;

use certs::Identity;
use certs::identity::Error as CertificateError;
use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, OrganizationId};
use rustls_pki_types::CertificateDer;

/// What the log says, newest state, about one presented certificate.
#[derive(Clone, Debug)]
pub struct View {
    /// The platform's root certificate.
    pub root: Arc<CertificateDer<'static>>,
    /// The organisation that the certificate names, where there is one.
    pub organization: Option<OrganizationView>,
    /// The device that the certificate names, where there is one.
    pub device: Option<DeviceView>,
    /// The certificate by its serial number, where one was issued.
    pub certificate: Option<CertificateView>,
}

/// What the log says of an organisation.
#[derive(Clone, Debug, Default)]
pub struct OrganizationView {
    /// Whether its devices are shut out.
    pub suspended: bool,
    /// The certificate of its own CA, where it has one.
    pub authority: Option<Arc<CertificateDer<'static>>>,
}

/// What the log says of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// Its organisation.
    pub organization: OrganizationId,
    /// Whether it is out of service for good.
    pub decommissioned: bool,
    /// Whether its payloads are of a form of their own, which a protocol converter reads.
    pub is_converted: bool,
}

/// What the log says of an issued certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateView {
    /// The device it was issued for.
    pub device: DeviceId,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// What the log says of a device token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenView {
    /// The device it was issued for.
    pub device: DeviceId,
    /// Whether it was revoked.
    pub revoked: bool,
    /// End of its validity.
    pub expires_at: DateTime<Utc>,
}

/// The answer to a CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The device may connect.
    Allow(Allowed),
    /// It may not.
    Deny(Reason),
}

/// What a device that was let in may do, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Its organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
    /// The topics it may use.
    pub topics: Topics,
    /// End of its certificate's validity; the session ends with it.
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
    /// Names the topics of a device.
    pub fn of(organization: OrganizationId, device: DeviceId) -> Self {
        Self {
            telemetry: format!("v1/telemetry/{organization}/{device}"),
            commands: format!("v1/commands/{organization}/{device}"),
        }
    }
}

/// Why a device may not connect, or may not stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The certificate is no device's, or its fields disagree.
    UnreadableCertificate,
    /// The client id is not the device id.
    WrongClientId,
    /// No such organisation, or it has no CA yet.
    UnknownOrganization,
    /// The certificate is not signed by the CA of the organisation it names.
    ForeignAuthority,
    /// The certificate, or its CA's, is not valid yet.
    NotYetValid,
    /// The certificate, or its CA's, is no longer valid.
    Expired,
    /// Nobody issued a certificate of this serial number to this device.
    UnknownCertificate,
    /// The certificate, or the token, was revoked.
    Revoked,
    /// Nobody issued this token.
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
    /// The stable code that presence facts, metrics and log lines carry.
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

    /// Tells whether events that have not arrived yet could turn this into an allowance: such a refusal counts only
    /// with the directory at the head of the log.
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

/// Decides on a CONNECT: the chain is signed by the CA of the very organisation that the certificate names and in date
/// at `now`, the client id is the device id, and the device is in good standing.
pub fn authorize_connect(chain: &[CertificateDer<'_>], client_id: &str, view: &View, now: DateTime<Utc>) -> Decision {
    match decide(chain, client_id, view, now) {
        Ok(allowed) => Decision::Allow(allowed),
        Err(reason) => Decision::Deny(reason),
    }
}

/// Decides whether a device that was let in may stay: everything that can change while it is connected.
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

/// Decides whether a device token counts: issued, not revoked, in date at `now`, its device in service and its
/// organisation not suspended. Answers the organisation.
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

/// Decides whether a device may be known to a broker that checks certificates by itself: it is in service, its
/// organisation is not suspended, and one of its certificates at least was neither revoked nor is past its end.
/// `certificates` are that it was issued, each with its end. Answers the organisation.
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
    // The certificate spells the device id in one way, and the client id has to be spelled the same.
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
