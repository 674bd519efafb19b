//! Gives a device its newest certificate, which may have been issued without its asking.

use super::peer::Peer;
use super::view::DeviceCertificate;
use crate::intent::correlation_of;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Fetch one's own newest certificate
    ///
    /// For devices, on the port that asks for client certificates. Where the organisation has certificates renewed
    /// automatically, the next one waits here; fetching it begins the overlap with the one presented.
    #[oai(path = "/enroll/certificate", method = "get", tag = "Tag::Enrollment", operation_id = "fetchOwnCertificate")]
    async fn call(&self, state: Data<&State>, request: &poem::Request) -> Result<Json<DeviceCertificate>, Problem> {
        let device = state.commands.authenticate_device(Peer::chain(request)?).await?;
        let newest = state.commands.newest_certificate(&device, correlation_of(request)).await?;
        Ok(Json(DeviceCertificate::of(&state, device.organization, device.device, newest)))
    }
}
