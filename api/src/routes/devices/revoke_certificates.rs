//! Revokes the certificates of a device.

use domain::ids::{CertificateId, DeviceId};
use projections::certificate_register::{NAME, read};

use super::view::find;
use crate::enums::RevocationCode;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The reason, and which certificates to revoke.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct RevokeCertificate {
    #[oai(validator(min_length = 1, max_length = 500))]
    reason: String,
    #[oai(nullable)]
    code: Option<RevocationCode>,
    /// Revoke only this certificate; defaults to all certificates of the device.
    #[oai(nullable)]
    certificate_id: Option<Uuid>,
}

/// Confirms the revocation.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct Revoked {
    success: bool,
    revoked_at: Time,
}

#[OpenApi]
impl Api {
    /// Revoke the certificates of a device
    ///
    /// Revokes all certificates that are not revoked yet, or only `certificateId`. Live sessions end within moments;
    /// the device cannot connect until it has another certificate.
    #[oai(
        path = "/devices/:id/certificate/revoke",
        method = "post",
        tag = "Tag::Devices",
        operation_id = "revokeCertificate"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageDevices>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
        body: Body<RevokeCertificate>,
    ) -> Result<Changed<Revoked>, Problem> {
        let code = body.0.code.unwrap_or(RevocationCode::Unspecified).into();
        let context = intent.context(&caller);
        let (commands, device, reason) = (&state.commands, DeviceId(id.0), &body.0.reason);
        let done = match body.0.certificate_id {
            Some(one) => commands.revoke_certificate(&context, device, CertificateId(one), reason, code).await?,
            None => commands.revoke_certificates(&context, device, reason, code).await?,
        };
        let receipt = done.last_receipt();
        match receipt {
            Some(receipt) => drop(wait_until_visible(&state, NAME, receipt).await),
            // Nothing was left to revoke: answer 404 if the device does not exist.
            None => drop(find(&state, &caller, id.0).await?),
        }
        let certificates = read::of_device(&state.reader, caller.organization.0, id.0).await?;
        let revoked_at = certificates.iter().filter_map(|certificate| certificate.revoked_at).max();
        let revoked_at = revoked_at.unwrap_or_else(|| state.now()).into();
        Ok(Changed(Revoked { success: true, revoked_at }, receipt))
    }
}
