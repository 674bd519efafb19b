//! Changes the certificate renewal policy of the caller's organisation.

use domain::organization::{CertificatePolicy as Policy, Organization, OrganizationCommand};

use super::view::CertificatePolicy;
use crate::error_mapping::never_refused;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The fields to change; omitted fields keep their values.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct ChangeCertificatePolicy {
    /// 0 to 365.
    #[oai(nullable, validator(maximum(value = "365")))]
    overlap_days: Option<u32>,
    /// 1 to 365.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "365")))]
    notice_days: Option<u32>,
    #[oai(nullable)]
    automatic_renewal: Option<bool>,
}

#[OpenApi]
impl Api {
    /// Change the certificate policy
    ///
    /// Applies to future renewals and expiries; overlaps in progress are not changed.
    #[oai(
        path = "/certificates/policy",
        method = "put",
        tag = "Tag::Certificates",
        operation_id = "changeCertificatePolicy"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        body: Body<ChangeCertificatePolicy>,
    ) -> Result<Revised<CertificatePolicy>, Problem> {
        let (id, commands) = (caller.organization, &state.commands);
        let loaded = commands.load::<Organization>(id, id.0).await.map_err(never_refused)?;
        let (organization, _) = loaded.ok_or_else(|| Problem::not_found("organisation"))?;
        let before = organization.certificate_policy;
        let policy = Policy {
            overlap_days: body.0.overlap_days.unwrap_or(before.overlap_days),
            notice_days: body.0.notice_days.unwrap_or(before.notice_days),
            automatic_renewal: body.0.automatic_renewal.unwrap_or(before.automatic_renewal),
        };
        let command = OrganizationCommand::ChangeCertificatePolicy { policy };
        let context = intent.context(&caller);
        let receipt = commands.execute_at::<Organization>(&context, id.0, command, expected.0).await?;
        Ok(Revised(CertificatePolicy::new(policy, receipt.version), Some(receipt)))
    }
}
