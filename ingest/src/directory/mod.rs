//! An in-memory projection of organisations, devices, certificates and tokens, folded from the log's domain events. It
//! answers the queries of `decide` and reports who may have lost access. Nothing is stored; a restart folds the log
//! again.

pub mod feed;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use certs::{Identity, Serial};
use chrono::{DateTime, Utc};
use domain::AnyEvent;
use domain::certificate::CertificateEvent;
use domain::device::DeviceEvent;
use domain::directory::DeviceEntry;
use domain::ids::{DeviceId, DeviceTokenId, OrganizationId};
use domain::organization::OrganizationEvent;
use eventlog::{Message, Upcasters, decode_events, error_chain};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::sync::watch;
use tracing::error;
use uuid::Uuid;

use crate::decide::{CertificateView, DeviceView, OrganizationView, TokenView, View};
use crate::mosquitto::{AdmissionList, admission_list};

/// Who may have lost access because of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affected {
    /// One device.
    Device(DeviceId),
    /// All devices of an organisation.
    Organization(OrganizationId),
}

/// The directory, shared by the fold and its readers.
#[derive(Debug)]
pub struct Directory {
    root: Arc<CertificateDer<'static>>,
    state: RwLock<State>,
    /// Position of the last folded event.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    entries: domain::directory::Directory,
    /// CA certificates of organisations, parsed once.
    authorities: HashMap<OrganizationId, Arc<CertificateDer<'static>>>,
    /// The device of each certificate id: a revocation carries only the certificate's id.
    holders: HashMap<Uuid, DeviceId>,
    /// Device tokens by their digest.
    tokens: HashMap<String, TokenView>,
    /// The digest of each token id: a revocation carries only the token's id.
    digests: HashMap<DeviceTokenId, String>,
    /// Devices that may send telemetry on behalf of others.
    gateways: HashSet<DeviceId>,
}

impl Directory {
    /// Creates an empty directory with the platform's root certificate.
    pub fn new(root: CertificateDer<'static>) -> Self {
        Self { root: Arc::new(root), state: RwLock::default(), changed: watch::Sender::default() }
    }

    /// Returns everything known about a certificate.
    pub fn view(&self, identity: &Identity) -> View {
        let state = self.read();
        let certificate = state.entries.certificate_now(identity.serial.as_str());
        View {
            root: self.root.clone(),
            organization: state.organization_view(OrganizationId(identity.organization)),
            device: state.device_view(DeviceId(identity.device)),
            certificate: certificate.map(|entry| CertificateView { device: entry.device, revoked: entry.revoked }),
        }
    }

    /// Returns the CA certificate of an organisation.
    pub fn authority(&self, organization: OrganizationId) -> Option<Arc<CertificateDer<'static>>> {
        self.read().authorities.get(&organization).cloned()
    }

    /// Returns the state of an organisation.
    pub fn organization(&self, organization: OrganizationId) -> Option<OrganizationView> {
        self.read().organization_view(organization)
    }

    /// Returns the state of a device token by its digest.
    pub fn token(&self, digest: &str) -> Option<TokenView> {
        self.read().tokens.get(digest).copied()
    }

    /// Tells whether a device may send telemetry on behalf of others of its organisation.
    pub fn is_gateway(&self, device: DeviceId) -> bool {
        self.read().gateways.contains(&device)
    }

    /// Lists the devices of an organisation, including those out of service.
    pub fn devices_of(&self, organization: OrganizationId) -> Vec<DeviceId> {
        let state = self.read();
        let of = state.entries.devices_now().filter(|(_, entry)| entry.organization == organization);
        of.map(|(device, _)| device).collect()
    }

    /// Returns the state of a device.
    pub fn device(&self, device: DeviceId) -> Option<DeviceView> {
        self.read().device_view(device)
    }

    /// Tells whether the certificate with this serial number is revoked.
    pub fn is_revoked(&self, serial: &Serial) -> bool {
        self.read().entries.certificate_now(serial.as_str()).is_some_and(|certificate| certificate.revoked)
    }

    /// Returns the devices that may connect at `now` to a broker that verifies certificates itself.
    pub fn admission_list(&self, now: DateTime<Utc>) -> AdmissionList {
        let state = self.read();
        let device = |device| state.device_view(device);
        admission_list(
            state.entries.certificates_now(),
            device,
            |organization| state.organization_view(organization),
            now,
        )
    }

    /// Subscribes to the position of the last folded event.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Folds one message of the log; returns who may have lost access.
    pub fn fold(&self, message: &Message) -> Vec<Affected> {
        // Skip other aggregates without decoding them: they make up most of the log.
        if !matches!(message.subject_token(2), Some("organization" | "device" | "device_type" | "certificate")) {
            return Vec::new();
        }
        let events = match decode_events(message, &Upcasters::of(domain::CONVERSIONS)) {
            Ok(events) => events,
            Err(failure) => return unreadable(message, &failure),
        };
        let mut affected = Vec::new();
        for event in events {
            let ids = event.organization.parse().ok().zip(event.aggregate_id.parse().ok());
            let decoded = AnyEvent::decode(&event.aggregate_type, &event.event_type, event.payload);
            match (ids, decoded) {
                (Some((organization, id)), Ok(decoded)) => {
                    affected.extend(self.apply(event.position, organization, id, &decoded));
                }
                (_, Err(failure)) => return unreadable(message, &failure),
                (None, _) => return unreadable(message, &"its subject contains no ids"),
            }
        }
        affected
    }

    /// Folds one event; returns who may have lost access.
    fn apply(&self, position: u64, organization: OrganizationId, id: Uuid, event: &AnyEvent) -> Option<Affected> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.entries.apply(position, organization, id, event);
        self.changed.send_replace(position);
        match event {
            AnyEvent::Organization(event) => state.organization(OrganizationId(id), event),
            AnyEvent::Device(event) => state.device(DeviceId(id), event),
            AnyEvent::Certificate(event) => state.certificate(id, event),
            _ => None,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn device_view(&self, device: DeviceId) -> Option<DeviceView> {
        self.entries.device_now(device).map(|entry| device_view(&self.entries, entry))
    }

    fn organization_view(&self, id: OrganizationId) -> Option<OrganizationView> {
        let authority = self.authorities.get(&id).cloned();
        let entry = self.entries.organization_now(id);
        entry.map(|entry| OrganizationView { suspended: entry.suspended, authority })
    }

    fn device(&mut self, id: DeviceId, event: &DeviceEvent) -> Option<Affected> {
        match event {
            DeviceEvent::DeviceTokenIssued { token_id, digest, expires_at, .. } => {
                self.digests.insert(*token_id, digest.clone());
                let token = TokenView { device: id, revoked: false, expires_at: *expires_at };
                self.tokens.insert(digest.clone(), token);
            }
            DeviceEvent::DeviceTokenRevoked { token_id, .. } => {
                let digest = self.digests.get(token_id);
                let token = digest.and_then(|digest| self.tokens.get_mut(digest)).filter(|token| token.device == id);
                token.into_iter().for_each(|token| token.revoked = true);
            }
            DeviceEvent::GatewayAppointed {} => drop(self.gateways.insert(id)),
            DeviceEvent::GatewayDismissed {} => drop(self.gateways.remove(&id)),
            DeviceEvent::DeviceDecommissioned { .. } => return Some(Affected::Device(id)),
            _ => {}
        }
        None
    }

    fn organization(&mut self, id: OrganizationId, event: &OrganizationEvent) -> Option<Affected> {
        match event {
            OrganizationEvent::CertificateAuthorityRecorded { certificate_pem, .. } => {
                match CertificateDer::from_pem_slice(certificate_pem.as_bytes()) {
                    Ok(authority) => drop(self.authorities.insert(id, Arc::new(authority))),
                    Err(failure) => {
                        error!(organization = %id, error = error_chain(&failure), "failed to read a CA certificate from the log")
                    }
                }
                None
            }
            OrganizationEvent::OrganizationSuspended { .. } => Some(Affected::Organization(id)),
            _ => None,
        }
    }

    fn certificate(&mut self, id: Uuid, event: &CertificateEvent) -> Option<Affected> {
        match event {
            CertificateEvent::CertificateIssued { device_id, .. } => {
                self.holders.insert(id, *device_id);
                None
            }
            CertificateEvent::CertificateRevoked { .. } => self.holders.get(&id).copied().map(Affected::Device),
            _ => None,
        }
    }
}

fn device_view(entries: &domain::directory::Directory, entry: &DeviceEntry) -> DeviceView {
    let is_converted = entries.device_type_now(entry.device_type).is_some_and(|known| known.converter.is_some());
    DeviceView { organization: entry.organization, decommissioned: entry.decommissioned, is_converted }
}

fn unreadable(message: &Message, failure: &dyn std::fmt::Display) -> Vec<Affected> {
    // The event store wrote it, so this is a bug or an event of a newer version. Only its aggregate may be out of date;
    // all others must go on.
    error!(
        subject = message.subject,
        sequence = message.sequence,
        %failure,
        "failed to read an event"
    );
    Vec::new()
}
