//! Shows the certificate renewal policy of the caller's organisation.

use domain::organization::Organization;

use super::view::CertificatePolicy;
use crate::error_mapping::never_refused;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show the certificate policy
    #[oai(
        path = "/certificates/policy",
        method = "get",
        tag = "Tag::Certificates",
        operation_id = "getCertificatePolicy"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
    ) -> Result<Fetched<CertificatePolicy>, Problem> {
        let id = caller.organization;
        let loaded = state.commands.load::<Organization>(id, id.0).await.map_err(never_refused)?;
        let (organization, version) = loaded.ok_or_else(|| Problem::not_found("organisation"))?;
        Ok(Fetched(CertificatePolicy::new(organization.certificate_policy, version)))
    }
}
