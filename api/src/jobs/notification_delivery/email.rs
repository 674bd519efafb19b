//! Delivers notifications by e-mail: the first one at once, those of the next minute together in one digest, so that a
//! storm of alarms does not become a storm of e-mails.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use domain::catalogue::notification_channel::Medium;
use domain::ids::derive;
use domain::notification::{Notice, NotificationCommand};
use domain::telemetry::Transition;
use eventlog::error_chain;
use projections::notification_outbox::{NotificationRow, read};
use uuid::Uuid;

use super::attempt::{Undelivered, begin_attempt, record_outcome};
use super::recipients;
use crate::jobs::job::Job;
use crate::jobs::mailer::Mailer;
use crate::problem::Problem;
use crate::state::State;

/// Most messages of one run.
const BATCH: i64 = 500;
/// Least time between two e-mails of one channel.
const MIN_INTERVAL: TimeDelta = TimeDelta::seconds(60);
/// A process without a mail server drops an e-mail if no other process sends it within this time.
const DROP_AFTER: TimeDelta = TimeDelta::minutes(2);
/// Most messages that one e-mail lists; the others are counted.
const MAX_LISTED: usize = 50;

/// Delivers e-mails.
pub struct EmailDelivery {
    /// Sends them; `None` if this process has no mail server.
    pub mailer: Option<Mailer>,
}

impl Job for EmailDelivery {
    const NAME: &'static str = "email_delivery";
    const PERIOD: Duration = Duration::from_secs(1);
    type Error = Problem;

    /// Sends what is due, one e-mail per channel.
    async fn run(&self, state: &State) -> Result<(), Problem> {
        let now = state.now();
        let mut channels = BTreeMap::<(Uuid, Option<Uuid>), Vec<NotificationRow>>::new();
        let due = if self.mailer.is_some() { now } else { now - DROP_AFTER };
        for row in read::due_mails(&state.reader, due, now - MIN_INTERVAL, BATCH).await? {
            channels.entry((row.organization_id, row.channel_id)).or_default().push(row);
        }
        for rows in channels.into_values() {
            self.deliver(state, rows).await;
        }
        Ok(())
    }
}

impl EmailDelivery {
    /// Delivers the messages of one channel in one e-mail.
    async fn deliver(&self, state: &State, rows: Vec<NotificationRow>) {
        let mut ours = Vec::new();
        for row in rows {
            if let Some(attempt) = begin_attempt(state, &row).await {
                ours.push((row, attempt));
            }
        }
        if ours.is_empty() {
            return;
        }
        let outcome = self.send(state, &ours).await;
        for (row, attempt) in &ours {
            let outcome = outcome.clone().map(|recipients| NotificationCommand::NoteDelivered { recipients });
            record_outcome(state, row, *attempt, outcome).await;
        }
    }

    /// Sends one e-mail to everyone with the channel's work roles; returns how many were accepted.
    async fn send(&self, state: &State, rows: &[(NotificationRow, u32)]) -> Result<u32, Undelivered> {
        let Some(mailer) = &self.mailer else {
            return Err(Undelivered::Never("no mail server is configured".to_owned()));
        };
        let Some((first, _)) = rows.first() else { return Ok(0) };
        let Medium::Email { work_roles } = &first.medium else { return Ok(0) };
        let people = recipients::with_work_roles(state, first.organization_id, work_roles).await?;
        if !mailer.is_ready().await {
            return Err(Undelivered::Later("the mail server does not answer".to_owned()));
        }
        let notices: Vec<&Notice> = rows.iter().map(|(row, _)| &row.notice).collect();
        // The same messages give the same id, so mail clients recognise a repeated e-mail.
        let ids: Vec<String> = rows.iter().map(|(row, _)| row.id.to_string()).collect();
        let id = derive(first.id, &ids.iter().map(String::as_str).collect::<Vec<_>>());
        let (mut sent, mut failed) = (0, None);
        for (_, address) in people.iter().filter(|(_, address)| !address.is_empty()) {
            match mailer.send_with_id(&format!("<{id}@argusiq>"), address, &subject(&notices), &text(&notices)).await {
                Ok(()) => sent += 1,
                Err(error) => failed = Some(error_chain(&error)),
            }
        }
        match (sent, failed) {
            (0, Some(reason)) => Err(Undelivered::Later(reason)),
            (0, None) => Err(Undelivered::Never("no user with these work roles has an e-mail address".to_owned())),
            // Once somebody has the message, a retry would send it to them again.
            (sent, _) => Ok(sent),
        }
    }
}

fn subject(notices: &[&Notice]) -> String {
    match notices {
        [one] => line(one),
        several => format!("{} alarm messages", several.len()),
    }
}

fn text(notices: &[&Notice]) -> String {
    let mut text = String::new();
    for notice in notices.iter().take(MAX_LISTED) {
        text += &format!("{}  {}\n", notice.measured_at.format("%Y-%m-%d %H:%M:%S UTC"), line(notice));
    }
    if notices.len() > MAX_LISTED {
        text += &format!("… and {} more\n", notices.len() - MAX_LISTED);
    }
    text + "\nThe API lists all open alarms: GET /api/v1/alarms?open=true\n"
}

/// Returns a message in one line.
fn line(notice: &Notice) -> String {
    let what = match notice.transition {
        Transition::ThresholdBreach => "breached",
        Transition::ReturnToNormal => "returned to normal",
        Transition::DeviceOffline => return format!("device {} went offline", notice.entity_id),
    };
    let rule = notice.rule_name.as_deref().unwrap_or("a rule");
    let value = notice.metric_key.as_ref().zip(notice.value).map(|(key, value)| format!(" ({key} {value})"));
    let value = value.unwrap_or_default();
    format!("[{}] {rule} {what} on {} {}{value}", notice.severity, notice.entity_type, notice.entity_id)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::alarming::Severity;
    use domain::rule::EntityKind;
    use uuid::Uuid;

    use super::*;

    fn notice(transition: Transition) -> Notice {
        Notice {
            transition,
            alarm_id: None,
            rule_id: None,
            rule_name: Some("Hot".into()),
            entity_type: EntityKind::Asset,
            entity_id: Uuid::nil(),
            severity: Severity::High,
            metric_key: Some("temperature".into()),
            value: Some(90.5),
            measured_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_single_message_is_the_subject_and_several_are_counted() {
        let breach = notice(Transition::ThresholdBreach);
        let line = "[high] Hot breached on asset 00000000-0000-0000-0000-000000000000 (temperature 90.5)";
        assert_eq!(subject(&[&breach]), line);
        assert!(text(&[&breach]).starts_with(&format!("1970-01-01 00:00:00 UTC  {line}\n")));
        let over = notice(Transition::ReturnToNormal);
        assert_eq!(subject(&[&breach, &over]), "2 alarm messages");
        assert!(text(&[&over]).contains("Hot returned to normal on asset"));
        let many = vec![&breach; MAX_LISTED + 3];
        assert!(text(&many).contains("… and 3 more"));
    }
}
