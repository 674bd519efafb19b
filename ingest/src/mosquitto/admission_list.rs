//! The devices that a broker may admit, and the revoked certificates that it must refuse. Pure.

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
    /// The number of its revoked certificates; when it grows, the device's sessions must end.
    pub revoked: usize,
    /// Its revoked and unexpired certificates, by serial number. The broker's revocation file must list them before the
    /// device may reconnect.
    pub listed: BTreeSet<String>,
}

impl AdmittedDevice {
    /// Returns the text that the broker stores with the device, which shows later whether the entry is up to date.
    pub fn tag(&self) -> String {
        format!("{} {}", self.organization, self.revoked)
    }
}

/// The devices that may connect and the revoked certificates.
#[derive(Debug, Default)]
pub struct AdmissionList {
    /// The devices that may connect.
    pub admitted: HashMap<DeviceId, AdmittedDevice>,
    /// Serial numbers of revoked and unexpired certificates, for each organisation that ever issued one.
    pub revoked: HashMap<OrganizationId, BTreeSet<String>>,
}

/// Computes the list from all certificates ever issued.
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
