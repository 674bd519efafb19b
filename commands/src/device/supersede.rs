//! Records that a new certificate supersedes a device's earlier ones, and revokes these when their overlap ends.

use chrono::{DateTime, Utc};
use domain::certificate::{Certificate, CertificateCommand, RevocationCode};
use domain::ids::{CertificateId, DeviceId};

use super::refusal::Refusal;
use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::error::Error;

/// The reason recorded when a superseded certificate is revoked.
const REASON: &str = "another certificate took its place";

impl Commands {
    /// Records on every certificate before `successor` that it is superseded and when its overlap ends; revokes it at
    /// once if the overlap is over. Returns the receipt of the last event.
    pub(super) async fn supersede(
        &self,
        context: &CommandContext,
        device: DeviceId,
        successor: CertificateId,
        overlap_ends_at: Option<DateTime<Utc>>,
    ) -> Result<Option<Receipt>, Error<Refusal>> {
        let all = self.certificates_of(context.organization, device).await.map_err(Error::widen)?;
        let mut last = None;
        for (id, loaded) in all.into_iter().take_while(|(id, _)| *id != successor) {
            if loaded.state.has_ended() {
                continue;
            }
            let command = CertificateCommand::NoteRenewed { successor, overlap_ends_at };
            let step = context.step(&format!("renewed {id} {}", overlap_ends_at.is_some()));
            let noted = self.execute::<Certificate>(&step, id.0, command).await;
            last = Some(noted.map_err(|error| error.map_refused(Refusal::Certificate))?).max_by_position(last);
            if overlap_ends_at.is_some_and(|end| end <= self.now()) {
                let step = context.step(&format!("revoke {id}"));
                last = self.revoke(&step, id, REASON, RevocationCode::Superseded).await?.max_by_position(last);
            }
        }
        Ok(last)
    }

    /// Revokes a certificate whose overlap with its successor is over; does nothing if it is already revoked.
    pub async fn end_overlap(
        &self,
        context: &CommandContext,
        certificate: CertificateId,
    ) -> Result<(), Error<Refusal>> {
        self.revoke(context, certificate, REASON, RevocationCode::Superseded).await.map(drop)
    }
}

trait Latest {
    /// Returns the later of two receipts.
    fn max_by_position(self, other: Option<Receipt>) -> Option<Receipt>;
}

impl Latest for Option<Receipt> {
    fn max_by_position(self, other: Option<Receipt>) -> Option<Receipt> {
        self.into_iter().chain(other).max_by_key(|receipt| receipt.position)
    }
}
