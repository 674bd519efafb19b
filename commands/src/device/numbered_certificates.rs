//! Loads the numbered certificates of a device.

use domain::certificate::Certificate;
use domain::ids::{CertificateId, DeviceId, OrganizationId, derive};
use eventlog::store::Loaded;

use crate::commands::Commands;
use crate::error::Error;
use crate::stores::Stored;

/// Returns the id of a device's certificate by its number, from 0.
pub(super) fn certificate_id(device: DeviceId, number: u64) -> CertificateId {
    CertificateId(derive(device.0, &["certificate", &number.to_string()]))
}

impl Commands {
    /// Loads one certificate of a device. An existing one may come from the cache, since its issue event never changes.
    pub(super) async fn certificate(
        &self,
        organization: OrganizationId,
        device: DeviceId,
        number: u64,
    ) -> Result<Loaded<Certificate>, Error> {
        let (organization, id) = (organization.to_string(), certificate_id(device, number).to_string());
        let store = Certificate::store(&self.inner.stores);
        let loaded = store.load(&organization, &id).await?;
        if loaded.exists() { Ok(loaded) } else { Ok(store.load_fresh(&organization, &id).await?) }
    }

    /// Loads all certificates of a device from the log's leader, in order of issue.
    pub(super) async fn certificates_of(
        &self,
        organization: OrganizationId,
        device: DeviceId,
    ) -> Result<Vec<(CertificateId, Loaded<Certificate>)>, Error> {
        let mut all = vec![];
        for number in 0.. {
            let loaded = self.load_fresh(organization, certificate_id(device, number).0).await?;
            if !loaded.exists() {
                break;
            }
            all.push((certificate_id(device, number), loaded));
        }
        Ok(all)
    }
}
