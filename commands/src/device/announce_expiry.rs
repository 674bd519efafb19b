//! Claims the announcement that a certificate is about to expire, so that exactly one process notifies the recipients.

use domain::certificate::{Certificate, CertificateCommand};
use domain::ids::{CertificateId, OrganizationId, derive};

use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::Error;

/// The actor of the recorded events, and the name of the command.
const PART: &str = "certificate_announcement";

impl Commands {
    /// Records that the recipients are being notified of an expiring certificate, and returns whether this call must
    /// notify them. Of several concurrent calls, exactly one must.
    pub async fn claim_expiry_announcement(
        &self,
        organization: OrganizationId,
        certificate: CertificateId,
        recipients: u32,
    ) -> Result<bool, Error<Refusal>> {
        let found = self.load::<Certificate>(organization, certificate.0).await.map_err(Error::widen)?;
        if found.is_none_or(|(known, _)| known.announced || !known.expiring || known.has_ended()) {
            return Ok(false);
        }
        // All processes use the same command id: the log stores the command once and marks the others as repeats.
        let command_id = derive(certificate.0, &[PART]);
        let context = CommandContext::system(PART, organization, command_id);
        let command = CertificateCommand::NoteAnnounced { recipients };
        let noted = self.execute::<Certificate>(&context, certificate.0, command).await;
        noted.map(|receipt| !receipt.repeated).map_err(|error| error.map_refused(Refusal::Certificate))
    }
}
