//! The newest state of organisations, devices and certificates in memory, folded from the log's domain events; it
//! answers what the decisions ask and tells whose standing may have changed. Nothing is stored; a restart folds again.

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
use eventlog::{Message, Upcasters, decode_events};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::sync::watch;
use tracing::error;
use uuid::Uuid;

use crate::decide::{CertificateView, DeviceView, OrganizationView, TokenView, View};
use crate::mosquitto::{AdmissionList, admission_list};

/// Whose standing an event may have changed for the worse.
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
    /// Position of the last event that was folded.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    entries: domain::directory::Directory,
    /// The CA certificates of organisations, read from PEM once.
    authorities: HashMap<OrganizationId, Arc<CertificateDer<'static>>>,
    /// Whose a certificate is, by the certificate's id: a revocation names no more.
    holders: HashMap<Uuid, DeviceId>,
    /// Device tokens by their digest.
    tokens: HashMap<String, TokenView>,
    /// The digest of a token by its id: a revocation names no more.
    digests: HashMap<DeviceTokenId, String>,
    /// The devices that may speak for others.
    gateways: HashSet<DeviceId>,
}

impl Directory {
    /// Begins with nothing known but the platform's root certificate.
    pub fn new(root: CertificateDer<'static>) -> Self {
        Self { root: Arc::new(root), state: RwLock::default(), changed: watch::Sender::default() }
    }

    /// Answers everything that is known about a certificate.
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

    /// Answers the CA certificate of an organisation.
    pub fn authority(&self, organization: OrganizationId) -> Option<Arc<CertificateDer<'static>>> {
        self.read().authorities.get(&organization).cloned()
    }

    /// Answers what is known of an organisation.
    pub fn organization(&self, organization: OrganizationId) -> Option<OrganizationView> {
        self.read().organization_view(organization)
    }

    /// Answers what is known of a device token by its digest.
    pub fn token(&self, digest: &str) -> Option<TokenView> {
        self.read().tokens.get(digest).copied()
    }

    /// Tells whether a device may speak for others of its organisation.
    pub fn is_gateway(&self, device: DeviceId) -> bool {
        self.read().gateways.contains(&device)
    }

    /// Lists the devices of an organisation, those out of service included.
    pub fn devices_of(&self, organization: OrganizationId) -> Vec<DeviceId> {
        let state = self.read();
        let of = state.entries.devices_now().filter(|(_, entry)| entry.organization == organization);
        of.map(|(device, _)| device).collect()
    }

    /// Answers what is known of a device.
    pub fn device(&self, device: DeviceId) -> Option<DeviceView> {
        self.read().device_view(device)
    }

    /// Tells whether a serial number is one of a revoked certificate.
    pub fn is_revoked(&self, serial: &Serial) -> bool {
        self.read().entries.certificate_now(serial.as_str()).is_some_and(|certificate| certificate.revoked)
    }

    /// Answers who may connect at `now` to a broker that checks certificates by itself.
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

    /// Tells of each event that is folded.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Folds one message of the log; answers whose standing may have become worse.
    pub fn fold(&self, message: &Message) -> Vec<Affected> {
        // Other aggregates are not looked into: most of the log is about them.
        if !matches!(message.subject_token(2), Some("organization" | "device" | "device_type" | "certificate")) {
            return Vec::new();
        }
        let events = match decode_events(message, &Upcasters::default()) {
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
                (None, _) => return unreadable(message, &"its subject holds no ids"),
            }
        }
        affected
    }

    /// Folds one event of an aggregate; answers whose standing may have become worse.
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
                    Err(failure) => error!(organization = %id, %failure, "a CA certificate in the log cannot be read"),
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
    // The event store wrote it, so this is a bug or a newer version's event: what it says about its one aggregate is
    // missing here, and every other one must go on.
    error!(subject = message.subject, sequence = message.sequence, %failure, "an event cannot be read");
    Vec::new()
}
