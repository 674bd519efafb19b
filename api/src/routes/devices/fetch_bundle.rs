//! Serves a certificate bundle, once, to the bearer of its token.

use commands::{Bundle, TakenBundle};
use domain::ids::DeviceId;
use poem_openapi::ApiResponse;
use poem_openapi::payload::Binary;

use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::routes::bundle_archive::archive;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The bundle as a ZIP archive.
#[derive(ApiResponse)]
pub enum BundleResponse {
    /// `device.crt`, `device.key`, `ca.crt` and `config.json`.
    #[oai(status = 200, content_type = "application/zip")]
    Zip(
        Binary<Vec<u8>>,
        /// The file name.
        #[oai(header = "Content-Disposition")]
        String,
        /// `no-store`: the bundle contains a private key.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

#[OpenApi]
impl Api {
    /// Fetch a certificate bundle
    ///
    /// Serves the `downloadUrl` of an issued certificate: one download within 15 minutes. A second attempt answers 410.
    #[oai(
        path = "/devices/:id/certificate/bundle/:token",
        method = "get",
        tag = "Tag::Devices",
        operation_id = "fetchBundle"
    )]
    async fn call(&self, state: Data<&State>, id: Path<Uuid>, token: Path<String>) -> Result<BundleResponse, Problem> {
        fetch(&state, DeviceId(id.0), &token.0).await
    }
}

/// Takes a bundle, which removes it, and packs it.
pub async fn fetch(state: &State, device: DeviceId, token: &str) -> Result<BundleResponse, Problem> {
    match state.commands.take_bundle(device, token).await.map_err(never_refused)? {
        TakenBundle::Bundle(bundle) => packed(state, &bundle),
        TakenBundle::Gone => {
            Err(Problem::of(Kind::Gone, "the bundle was already downloaded, or its 15 minutes are over"))
        }
        TakenBundle::Unknown => Err(Problem::not_found("bundle")),
    }
}

fn packed(state: &State, bundle: &Bundle) -> Result<BundleResponse, Problem> {
    let packed = archive(bundle, &state.root_certificate_pem, &state.device_urls).map_err(|error| {
        tracing::error!(%error, "cannot pack a certificate bundle");
        Problem::new(Kind::Internal)
    })?;
    let name = format!("attachment; filename=\"device-{}.zip\"", bundle.device);
    Ok(BundleResponse::Zip(Binary(packed), name, "no-store".to_owned()))
}
