//! Returns the newest certificate of the calling device, which may have been renewed automatically.

use super::peer::Peer;
use super::view::DeviceCertificate;
use crate::intent::correlation_of;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Fetch the device's newest certificate
    ///
    /// Called by devices, on the port that requires client certificates. If the organisation renews certificates
    /// automatically, the renewed one is fetched here; fetching it starts the overlap with the presented one.
    #[oai(path = "/enroll/certificate", method = "get", tag = "Tag::Enrollment", operation_id = "fetchOwnCertificate")]
    async fn call(&self, state: Data<&State>, request: &poem::Request) -> Result<Json<DeviceCertificate>, Problem> {
        let device = state.commands.authenticate_device(Peer::chain(request)?).await?;
        let newest = state.commands.newest_certificate(&device, correlation_of(request)).await?;
        Ok(Json(DeviceCertificate::of(&state, device.organization, device.device, newest)))
    }
}
