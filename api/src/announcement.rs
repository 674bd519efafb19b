//! Tells an organisation's administrators by e-mail which certificates are expiring, each once. It runs in every process of
//! the API, which alone can read addresses; which process tells of a certificate, the log decides.

use std::time::Duration;

use domain::ids::{CertificateId, OrganizationId, UserId};
use projections::Paging;
use projections::certificate_register::read::{self, Unannounced};
use projections::tenant_register::read as people;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::error_mapping::{chain, never_refused};
use crate::mail::Mailer;
use crate::problem::Problem;
use crate::state::State;

/// Time between looks.
const PERIOD: Duration = Duration::from_secs(10);
/// Most certificates of one look, and of one mail.
const MOST: i64 = 1_000;

/// Tells what is due, until `shutdown`; without a mailer nobody is told, and nothing is noted.
pub async fn run(state: State, shutdown: CancellationToken) -> Result<(), Error> {
    let Some(mailer) = state.mailer.clone() else {
        shutdown.cancelled().await;
        return Ok(());
    };
    let mut period = interval(PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while shutdown.run_until_cancelled(period.tick()).await.is_some() {
        let looked = shutdown.run_until_cancelled(look(&state, &mailer)).await;
        if let Some(Err(problem)) = looked {
            tracing::warn!(%problem, "nobody could be told of expiring certificates; it is tried again");
        }
    }
    Ok(())
}

async fn look(state: &State, mailer: &Mailer) -> Result<(), Problem> {
    let due = read::unannounced(&state.reader, state.now(), MOST).await?;
    // What is noted counts as told: a server that is not there must not cost the telling.
    if due.is_empty() || !mailer.is_ready().await {
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
            tell(mailer, organization, &administrators, &ours).await;
        }
    }
    Ok(())
}

/// Returns the addresses of an organisation's active administrators.
async fn administrators(state: &State, organization: OrganizationId) -> Result<Vec<String>, Problem> {
    let all = people::users(&state.reader, organization.0, Paging::first(MOST)).await?;
    let mut addresses = Vec::new();
    let is_administrator = |role: &str| role == "admin" || role == "platform_admin";
    for row in all.items.into_iter().filter(|row| row.active && is_administrator(&row.access_role)) {
        let profile = state.commands.user_profile(organization, UserId(row.id)).await.map_err(never_refused)?;
        addresses.extend(profile.filter(|profile| profile.is_active && !profile.email.is_empty()).map(|p| p.email));
    }
    Ok(addresses)
}

async fn tell(mailer: &Mailer, organization: OrganizationId, administrators: &[String], due: &[&Unannounced]) {
    let subject = match due {
        [one] => format!("The certificate of {} is expiring", name(one)),
        several => format!("{} device certificates are expiring", several.len()),
    };
    let text = text(due);
    for address in administrators {
        if let Err(error) = mailer.send(address, &subject, &text).await {
            // Addresses of people do not belong into the log.
            tracing::error!(%organization, error = chain(&error), "a mail about expiring certificates was not sent");
        }
    }
}

fn text(due: &[&Unannounced]) -> String {
    let mut text =
        "These devices cannot connect any more once their certificates end, unless they are renewed:\n\n".to_owned();
    for one in due {
        let until = one.valid_until.format("%Y-%m-%d %H:%M UTC");
        text += &format!("{until}  {}\n", name(one));
    }
    text + "\nThe states of all certificates are in the API: GET /api/v1/certificates?status=expiring\n"
}

fn name(one: &Unannounced) -> String {
    match (&one.device_name, &one.device_serial_number) {
        (Some(name), Some(serial_number)) => format!("{name} (serial number {serial_number})"),
        (Some(name), None) => name.clone(),
        _ => "a device".to_owned(),
    }
}
