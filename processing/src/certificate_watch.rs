//! Watches the expiry of certificates: reports once that a certificate is expiring, once that it has expired, and
//! revokes one whose overlap with its successor is over. It acts only through commands, and a certificate accepts each
//! of them once, so two concurrent watchers do no harm.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use commands::{CommandContext, Commands};
use domain::certificate::{Certificate, CertificateCommand};
use domain::directory::{CertificateEntry, Directory};
use domain::ids::{CertificateId, OrganizationId, derive};
use domain::organization::CertificatePolicy;
use metrics::counter;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::clock::Clock;
use crate::metric_names;
use crate::shared_directory::SharedDirectory;

/// Kind of ownership; the owner of its partition 0 watches.
pub const NAME: &str = "certificate_watch";
/// Time between two checks. It may be coarse: `ingest` enforces expiry to the second when a device connects.
const CHECK_PERIOD: Duration = Duration::from_secs(5);
/// The most commands of one check; the next check handles the rest.
const MAX_COMMANDS: usize = 500;

/// What is due for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Expiring,
    Expired,
    Superseded,
}

/// One command to execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Task {
    organization: OrganizationId,
    certificate: CertificateId,
    due: Due,
}

/// Checks certificates while this process owns the watch, until `shutdown`.
pub async fn run(
    commands: Commands,
    directory: SharedDirectory,
    clock: Clock,
    owned: watch::Receiver<BTreeSet<u16>>,
    shutdown: CancellationToken,
) {
    let mut period = interval(CHECK_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while shutdown.run_until_cancelled(period.tick()).await.is_some() {
        if !owned.borrow().contains(&0) {
            continue;
        }
        let tasks = tasks(&directory.read(), clock());
        for task in tasks {
            if shutdown.is_cancelled() {
                return;
            }
            act(&commands, task).await;
        }
    }
}

/// Lists what is due, earliest expiry first, at most [`MAX_COMMANDS`].
fn tasks(directory: &Directory, now: DateTime<Utc>) -> Vec<Task> {
    let due = |(_, entry): (&str, &CertificateEntry)| {
        let policy = directory.organization_now(entry.organization).map(|known| known.certificate_policy);
        let due = due(entry, &policy.unwrap_or_default(), now)?;
        Some((entry.not_after, Task { organization: entry.organization, certificate: entry.certificate, due }))
    };
    let mut found: Vec<_> = directory.certificates_now().filter_map(due).collect();
    found.sort_unstable_by_key(|(not_after, task)| (*not_after, task.certificate));
    found.into_iter().map(|(_, task)| task).take(MAX_COMMANDS).collect()
}

fn due(entry: &CertificateEntry, policy: &CertificatePolicy, now: DateTime<Utc>) -> Option<Due> {
    if entry.revoked || entry.expired {
        None
    } else if now > entry.not_after {
        Some(Due::Expired)
    } else if entry.superseded_at.is_some_and(|end| end <= now) {
        Some(Due::Superseded)
    } else if !entry.expiring && entry.superseded_at.is_none() && policy.notice_at(entry.not_after) <= now {
        Some(Due::Expiring)
    } else {
        None
    }
}

async fn act(commands: &Commands, task: Task) {
    let Task { organization, certificate, due } = task;
    let context = |what| CommandContext::system(NAME, organization, derive(certificate.0, &[NAME, what]));
    let note = |what, command| {
        let context = context(what);
        async move { commands.execute::<Certificate>(&context, certificate.0, command).await.map(drop) }
    };
    let outcome = match due {
        Due::Expiring => note("expiring", CertificateCommand::NoteExpiring {}).await.map_err(|error| error.to_string()),
        Due::Expired => note("expired", CertificateCommand::NoteExpired {}).await.map_err(|error| error.to_string()),
        Due::Superseded => {
            let ended = commands.end_overlap(&context("superseded"), certificate).await;
            ended.map_err(|error| error.to_string())
        }
    };
    let outcome = match outcome {
        Ok(()) => "done",
        Err(error) => {
            // The next check retries.
            warn!(%certificate, ?due, error, "cannot record the state of a certificate");
            "given_up"
        }
    };
    counter!(metric_names::COMMANDS, "stage" => NAME, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::ids::DeviceId;
    use uuid::Uuid;

    use super::*;

    fn day(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(number)
    }

    fn entry() -> CertificateEntry {
        CertificateEntry {
            organization: OrganizationId(Uuid::nil()),
            certificate: CertificateId(Uuid::nil()),
            device: DeviceId(Uuid::nil()),
            revoked: false,
            not_after: day(365),
            expiring: false,
            expired: false,
            superseded_at: None,
        }
    }

    #[test]
    fn each_transition_is_due_once_and_on_time() {
        let policy = CertificatePolicy::default();
        let noted = CertificateEntry { expiring: true, ..entry() };
        let renewed = CertificateEntry { superseded_at: Some(day(100)), ..entry() };
        let revoked = CertificateEntry { revoked: true, ..renewed.clone() };
        let expired = CertificateEntry { expired: true, ..entry() };
        for (entry, at, expected) in [
            (&entry(), 334, None),
            (&entry(), 335, Some(Due::Expiring)),
            (&noted, 364, None),
            (&noted, 365, None),
            (&noted, 366, Some(Due::Expired)),
            (&entry(), 366, Some(Due::Expired)),
            (&expired, 366, None),
            (&renewed, 99, None),
            (&renewed, 100, Some(Due::Superseded)),
            (&revoked, 366, None),
        ] {
            assert_eq!(due(entry, &policy, day(at)), expected, "day {at}: {entry:?}");
        }
        let early = CertificatePolicy { notice_days: 90, ..policy };
        assert_eq!(due(&entry(), &early, day(275)), Some(Due::Expiring));
    }
}
