//! Serves a certificate bundle, with the token as a query parameter.

use domain::ids::DeviceId;

use super::fetch_bundle::{BundleResponse, fetch};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Fetch a certificate bundle, by parameter
    ///
    /// Same as `…/certificate/bundle/{token}`.
    #[oai(
        path = "/devices/:id/certificate/download",
        method = "get",
        tag = "Tag::Devices",
        operation_id = "downloadBundle"
    )]
    async fn call(&self, state: Data<&State>, id: Path<Uuid>, token: Query<String>) -> Result<BundleResponse, Problem> {
        fetch(&state, DeviceId(id.0), &token.0).await
    }
}
