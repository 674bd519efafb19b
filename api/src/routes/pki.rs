//! Serves CA certificates and revocation lists without authentication: devices, brokers and operators need them before
//! they can sign in.

use chrono::TimeDelta;
use commands::{Revocation, RevocationList};
use domain::certificate::RevocationCode;
use domain::ids::OrganizationId;
use domain::organization::Organization;
use poem::http::header;
use poem::web::{Data, Path};
use poem::{Response, handler};
use projections::certificate_register::read;
use uuid::Uuid;

use crate::error_mapping::never_refused;
use crate::problem::Problem;
use crate::state::State;

/// The media type of PEM certificates (RFC 8555).
const CONTENT_TYPE: &str = "application/pem-certificate-chain";

/// The media types of revocation lists (RFC 5280, 4.2.1.13) and of their PEM form.
const CRL_TYPE: &str = "application/pkix-crl";
const CRL_PEM_TYPE: &str = "application/x-pem-file";
/// How long a revoked certificate stays on the list after it expires. RFC 5280 (3.3) wants it on at least one list
/// issued after its end.
const AFTER_ITS_END: TimeDelta = TimeDelta::hours(25);

/// Serves the root certificate.
#[handler]
pub fn root(Data(state): Data<&State>) -> Response {
    Response::builder().content_type(CONTENT_TYPE).body(state.root_certificate_pem.clone())
}

/// Serves the organisation's CA certificate, followed by the root certificate.
#[handler]
pub async fn organization(Data(state): Data<&State>, Path(id): Path<Uuid>) -> poem::Result<Response> {
    let loaded = state.commands.load::<Organization>(OrganizationId(id), id).await.map_err(never_refused)?;
    let authority = loaded.and_then(|(organization, _)| organization.certificate_authority);
    let authority = authority.ok_or_else(|| Problem::not_found("organisation"))?;
    let chain = format!("{}\n{}", authority.certificate_pem.trim_end(), state.root_certificate_pem);
    Ok(Response::builder().content_type(CONTENT_TYPE).body(chain))
}

/// Serves the organisation's revocation list, DER.
#[handler]
pub async fn crl_der(Data(state): Data<&State>, Path(id): Path<Uuid>) -> poem::Result<Response> {
    Ok(der(list(state, id).await?))
}

/// Serves the organisation's revocation list, PEM.
#[handler]
pub async fn crl_pem(Data(state): Data<&State>, Path(id): Path<Uuid>) -> poem::Result<Response> {
    Ok(pem(list(state, id).await?))
}

/// Serves the root's revocation list, DER.
#[handler]
pub async fn root_crl_der(Data(state): Data<&State>) -> poem::Result<Response> {
    Ok(der(state.commands.root_revocation_list().await.map_err(never_refused)?))
}

/// Serves the root's revocation list, PEM.
#[handler]
pub async fn root_crl_pem(Data(state): Data<&State>) -> poem::Result<Response> {
    Ok(pem(state.commands.root_revocation_list().await.map_err(never_refused)?))
}

async fn list(state: &State, id: Uuid) -> Result<RevocationList, Problem> {
    let (revoked, position) = read::revoked(&state.reader, id, state.now() - AFTER_ITS_END).await?;
    let revocations = revoked.into_iter().map(|one| Revocation {
        serial_number: one.serial_number,
        revoked_at: one.revoked_at,
        // A code that this version does not know must not keep the certificate off the list.
        code: one.revoked_code.parse().unwrap_or(RevocationCode::Unspecified),
    });
    let revocations: Vec<_> = revocations.collect();
    let list = state.commands.revocation_list(OrganizationId(id), &revocations, position).await;
    list.map_err(never_refused)?.ok_or_else(|| Problem::not_found("organisation"))
}

fn der(list: RevocationList) -> Response {
    answer(CRL_TYPE).body(list.der)
}

fn pem(list: RevocationList) -> Response {
    answer(CRL_PEM_TYPE).body(list.pem)
}

/// Clients must revalidate: a cached list would hide a revocation.
fn answer(kind: &str) -> poem::ResponseBuilder {
    Response::builder().content_type(kind).header(header::CACHE_CONTROL, "no-cache")
}
