//! Which devices a broker may know, by the one decision. Not how the broker is told.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::directory::CertificateEntry;
use domain::ids::{DeviceId, OrganizationId};

use crate::decide::{CertificateView, DeviceView, OrganizationView, authorize_device};

/// A device that may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmittedDevice {
    /// Its organisation.
    pub organization: OrganizationId,
    /// How many of its certificates were revoked: one more ends its sessions.
    pub revoked: usize,
    /// Those of them that are not past their end, by serial number: they have to be on the broker's list before it may
    /// come back.
    pub listed: BTreeSet<String>,
}

impl AdmittedDevice {
    /// What the broker keeps beside the device's name, so that a later look tells whether it is up to date.
    pub fn tag(&self) -> String {
        format!("{} {}", self.organization, self.revoked)
    }
}

/// Who may connect, and which certificates no longer count.
#[derive(Debug, Default)]
pub struct AdmissionList {
    /// The devices that may connect.
    pub admitted: HashMap<DeviceId, AdmittedDevice>,
    /// Serial numbers of revoked certificates that are not past their end, by organisation: each that ever issued one has
    /// its set.
    pub revoked: HashMap<OrganizationId, BTreeSet<String>>,
}

/// Returns the standing of all devices that were ever issued a certificate.
pub fn admission_list<'a>(
    certificates: impl Iterator<Item = (&'a str, &'a CertificateEntry)>,
    device: impl Fn(DeviceId) -> Option<DeviceView>,
    organization: impl Fn(OrganizationId) -> Option<OrganizationView>,
    now: DateTime<Utc>,
) -> AdmissionList {
    let mut held = HashMap::<DeviceId, Vec<(&str, &CertificateEntry)>>::new();
    let mut list = AdmissionList::default();
    for (serial, entry) in certificates {
        let revoked = list.revoked.entry(entry.organization).or_default();
        if entry.revoked && now < entry.not_after {
            revoked.insert(serial.to_owned());
        }
        held.entry(entry.device).or_default().push((serial, entry));
    }
    let mut organizations = HashMap::new();
    for (id, held) in held {
        let Some(device) = device(id) else { continue };
        let of = &*organizations.entry(device.organization).or_insert_with(|| organization(device.organization));
        let views =
            held.iter().map(|(_, entry)| (CertificateView { device: id, revoked: entry.revoked }, entry.not_after));
        if let Ok(organization) = authorize_device(device, of.as_ref(), views, now) {
            let revoked = || held.iter().filter(|(_, entry)| entry.revoked);
            let listed = revoked().filter(|(_, entry)| now < entry.not_after).map(|(serial, _)| (*serial).to_owned());
            list.admitted
                .insert(id, AdmittedDevice { organization, revoked: revoked().count(), listed: listed.collect() });
        }
    }
    list
}
