//! Certificates that devices and operators need before they can sign in: public, like every trust anchor.

use domain::ids::OrganizationId;
use domain::organization::Organization;
use poem::web::{Data, Path};
use poem::{Response, handler};
use uuid::Uuid;

use crate::problem::Problem;
use crate::refusals::never_refused;
use crate::state::State;

/// The media type of PEM certificates (RFC 8555).
const CONTENT_TYPE: &str = "application/pem-certificate-chain";

/// The root certificate.
#[handler]
pub fn root(Data(state): Data<&State>) -> Response {
    Response::builder().content_type(CONTENT_TYPE).body(state.root_certificate_pem.clone())
}

/// The organisation's authority, then the root.
#[handler]
pub async fn organization(Data(state): Data<&State>, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let loaded = state.commands.load::<Organization>(OrganizationId(id), id).await.map_err(never_refused)?;
    let authority = loaded.and_then(|(organization, _)| organization.certificate_authority);
    let authority = authority.ok_or_else(|| Problem::not_found("organisation"))?;
    let chain = format!("{}\n{}", authority.certificate_pem.trim_end(), state.root_certificate_pem);
    Ok(Response::builder().content_type(CONTENT_TYPE).body(chain))
}
