//! Noting that people were told of a certificate's near end: whoever notes it first is the one to tell them.

use domain::certificate::{Certificate, CertificateCommand};
use domain::ids::{CertificateId, OrganizationId, derive};

use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::Error;

/// The part of the platform that tells.
const PART: &str = "certificate_announcement";

impl Commands {
    /// Notes that people are told of an expiring certificate's end; tells whether it is this call that has to tell
    /// them. Of several processes that ask at once, one has to.
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
        // All processes give the same command: the log takes it once, and says so to the others.
        let command_id = derive(certificate.0, &[PART]);
        let context = CommandContext::system(PART, organization, command_id);
        let command = CertificateCommand::NoteAnnounced { recipients };
        let noted = self.execute::<Certificate>(&context, certificate.0, command).await;
        noted.map(|receipt| !receipt.repeated).map_err(|error| error.map_refused(Refusal::Certificate))
    }
}
