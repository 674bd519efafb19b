//! The response to a device that enrols or renews: certificates, never a private key.

use commands::IssuedCertificate;
use domain::ids::{DeviceId, OrganizationId};

use crate::prelude::*;

/// A certificate for the device's own key.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct DeviceCertificate {
    organization_id: Uuid,
    device_id: Uuid,
    /// PEM.
    certificate: String,
    /// The certificate and the organisation's CA certificate, PEM: the chain that the device presents.
    chain: String,
    /// The root certificate of the installation, PEM: the device's trust anchor for servers.
    root_certificate: String,
    serial_number: String,
    valid_from: Time,
    valid_until: Time,
}

impl DeviceCertificate {
    /// Returns the response for an issued certificate.
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
