//! The numbered certificates of a device.

use domain::certificate::Certificate;
use domain::ids::{CertificateId, DeviceId, OrganizationId, derive};
use eventlog::store::Loaded;

use crate::error::Error;
use crate::open::Commands;

/// Returns the id of a device's certificate by its number, from 0.
pub(super) fn certificate_id(device: DeviceId, number: u64) -> CertificateId {
    CertificateId(derive(device.0, &["certificate", &number.to_string()]))
}

impl Commands {
    /// Loads one certificate of a device as the log's leader has it.
    pub(super) async fn certificate(
        &self,
        organization: OrganizationId,
        device: DeviceId,
        number: u64,
    ) -> Result<Loaded<Certificate>, Error> {
        self.load_fresh(organization, certificate_id(device, number).0).await
    }

    /// Loads all certificates of a device in the order of issuing.
    pub(super) async fn certificates_of(
        &self,
        organization: OrganizationId,
        device: DeviceId,
    ) -> Result<Vec<(CertificateId, Loaded<Certificate>)>, Error> {
        let mut all = vec![];
        for number in 0.. {
            let loaded = self.certificate(organization, device, number).await?;
            if !loaded.exists() {
                break;
            }
            all.push((certificate_id(device, number), loaded));
        }
        Ok(all)
    }
}
