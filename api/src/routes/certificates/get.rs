//! Shows a certificate.

use projections::certificate_register::read;

use super::view::Certificate;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// One certificate.
#[derive(Object)]
struct CertificateResponse {
    certificate: Certificate,
}

versioned!(CertificateResponse, certificate);

#[OpenApi]
impl Api {
    /// Show a certificate
    #[oai(path = "/certificates/:id", method = "get", tag = "Tag::Certificates", operation_id = "getCertificate")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        /// Shows the state at this time, rebuilt from the events recorded at or before it; defaults to the present.
        #[oai(name = "asOf")]
        as_of: AsOf,
    ) -> Result<Fetched<CertificateResponse>, Problem> {
        let (row, at) = match point_in_time(&state, &caller, &as_of) {
            None => (read::get(&state.reader, caller.organization.0, id.0).await?, state.now()),
            Some(past) => (past.certificate(id.0).await?, past.at),
        };
        let row = row.ok_or_else(|| Problem::not_found("certificate"))?;
        Ok(Fetched(CertificateResponse { certificate: Certificate::at(row, at) }))
    }
}
