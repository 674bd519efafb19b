//! What a device gets when it enrols or renews: certificates, never a key.

use commands::IssuedCertificate;
use domain::ids::{DeviceId, OrganizationId};

use crate::prelude::*;

/// A certificate for the key that the device has.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct DeviceCertificate {
    organization_id: Uuid,
    device_id: Uuid,
    /// PEM.
    certificate: String,
    /// The certificate and its organisation's authority, PEM: what the device presents.
    chain: String,
    /// The installation's root certificate, PEM: whom the device believes servers by.
    root_certificate: String,
    serial_number: String,
    valid_from: Time,
    valid_until: Time,
}

impl DeviceCertificate {
    /// Returns what the device of a certificate gets.
    pub fn of(state: &State, organization: OrganizationId, device: DeviceId, issued: IssuedCertificate) -> Self {
        Self {
            organization_id: organization.0,
            device_id: device.0,
            certificate: issued.certificate_pem,
            chain: issued.chain_pem,
            root_certificate: state.root_certificate_pem.clone(),
            serial_number: issued.serial_number,
            valid_from: issued.not_before.into(),
            valid_until: issued.not_after.into(),
        }
    }
}
