//! Tells an organisation's administrators by e-mail which certificates are about to expire, once for each certificate.
//! The log decides which process announces a certificate.

use std::time::Duration;

use domain::ids::{CertificateId, OrganizationId, UserId};
use eventlog::error_chain;
use projections::Paging;
use projections::certificate_register::read::{self, Unannounced};
use projections::tenant_register::read as people;

use super::job::Job;
use super::mailer::Mailer;
use crate::error_mapping::never_refused;
use crate::problem::Problem;
use crate::state::State;

/// Most certificates of one run and of one e-mail; also most users read per organisation.
const BATCH: i64 = 1_000;

/// Announces expiring certificates.
pub struct CertificateAnnouncement {
    /// Sends the e-mails.
    pub mailer: Mailer,
}

impl Job for CertificateAnnouncement {
    const NAME: &'static str = "certificate_announcement";
    const PERIOD: Duration = Duration::from_secs(10);
    type Error = Problem;

    async fn run(&self, state: &State) -> Result<(), Problem> {
        let due = read::unannounced(&state.reader, state.now(), BATCH).await?;
        // An announcement is recorded before it is mailed, so a mail server that is down must be noticed before that.
        if due.is_empty() || !self.mailer.is_ready().await {
            return Ok(());
        }
        for some in due.chunk_by(|one, next| one.organization_id == next.organization_id) {
            let Some(organization) = some.first().map(|one| OrganizationId(one.organization_id)) else { continue };
            let administrators = administrators(state, organization).await?;
            let mut ours = Vec::new();
            for one in some {
                let recipients = u32::try_from(administrators.len()).unwrap_or(u32::MAX);
                if state.commands.claim_expiry_announcement(organization, CertificateId(one.id), recipients).await? {
                    ours.push(one);
                }
            }
            if !ours.is_empty() {
                announce(&self.mailer, organization, &administrators, &ours).await;
            }
        }
        Ok(())
    }
}

/// Returns the e-mail addresses of an organisation's active administrators.
async fn administrators(state: &State, organization: OrganizationId) -> Result<Vec<String>, Problem> {
    let all = people::users(&state.reader, organization.0, Paging::first(BATCH)).await?;
    let mut addresses = Vec::new();
    let is_administrator = |role: &str| role == "admin" || role == "platform_admin";
    for row in all.items.into_iter().filter(|row| row.active && is_administrator(&row.access_role)) {
        let profile = state.commands.user_profile(organization, UserId(row.id)).await.map_err(never_refused)?;
        addresses.extend(profile.filter(|profile| profile.is_active && !profile.email.is_empty()).map(|p| p.email));
    }
    Ok(addresses)
}

async fn announce(mailer: &Mailer, organization: OrganizationId, administrators: &[String], due: &[&Unannounced]) {
    let subject = match due {
        [one] => format!("The certificate of {} is expiring", device_name(one)),
        several => format!("{} device certificates are expiring", several.len()),
    };
    let text = text(due);
    for address in administrators {
        if let Err(error) = mailer.send(address, &subject, &text).await {
            // The address is personal data and must not be logged.
            tracing::error!(%organization, error = error_chain(&error), "e-mail about expiring certificates not sent");
        }
    }
}

fn text(due: &[&Unannounced]) -> String {
    let mut text =
        "Unless they are renewed, these devices can no longer connect once their certificates expire:\n\n".to_owned();
    for one in due {
        let until = one.valid_until.format("%Y-%m-%d %H:%M UTC");
        text += &format!("{until}  {}\n", device_name(one));
    }
    text + "\nThe API lists all expiring certificates: GET /api/v1/certificates?status=expiring\n"
}

fn device_name(one: &Unannounced) -> String {
    match (&one.device_name, &one.device_serial_number) {
        (Some(name), Some(serial_number)) => format!("{name} (serial number {serial_number})"),
        (Some(name), None) => name.clone(),
        _ => "a device".to_owned(),
    }
}
