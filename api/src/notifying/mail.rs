//! Mails about alarms: one at once, and what comes soon after in one more, so that a storm of alarms is none of mails.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::catalogue::notification_channel::Medium;
use domain::ids::derive;
use domain::notification::{Notice, NotificationCommand};
use domain::telemetry::Transition;
use projections::notification_outbox::{NotificationRow, read};
use uuid::Uuid;

use super::{MOST, Undelivered, begin, note, recipients};
use crate::error_mapping::chain;
use crate::problem::Problem;
use crate::state::State;

/// Least time between two mails of one channel.
const BETWEEN: TimeDelta = TimeDelta::seconds(60);
/// How long a process without a mail server leaves a message to one that may have one, before it gives it up.
const LEFT_TO_OTHERS: TimeDelta = TimeDelta::minutes(2);
/// Most messages that one mail lists.
const LISTED: usize = 50;

/// Sends what is due, of each channel in one mail.
pub async fn all(state: &State) -> Result<(), Problem> {
    let now = state.now();
    let mut channels = BTreeMap::<(Uuid, Option<Uuid>), Vec<NotificationRow>>::new();
    let due = if state.mailer.is_some() { now } else { now - LEFT_TO_OTHERS };
    for row in read::due_mails(&state.reader, due, now - BETWEEN, MOST).await? {
        channels.entry((row.organization_id, row.channel_id)).or_default().push(row);
    }
    for rows in channels.into_values() {
        digest(state, rows).await;
    }
    Ok(())
}

async fn digest(state: &State, rows: Vec<NotificationRow>) {
    let mut ours = Vec::new();
    for row in rows {
        if let Some(attempt) = begin(state, &row).await {
            ours.push((row, attempt));
        }
    }
    if ours.is_empty() {
        return;
    }
    let outcome = send(state, &ours).await;
    for (row, attempt) in &ours {
        let outcome = outcome.clone().map(|recipients| NotificationCommand::NoteDelivered { recipients });
        note(state, row, *attempt, outcome).await;
    }
}

async fn send(state: &State, rows: &[(NotificationRow, u32)]) -> Result<u32, Undelivered> {
    let Some(mailer) = &state.mailer else { return Err(Undelivered::Never("no mail server is set".to_owned())) };
    let Some((first, _)) = rows.first() else { return Ok(0) };
    let Medium::Email { work_roles } = &first.medium else { return Ok(0) };
    let people = recipients::of(state, first.organization_id, work_roles).await?;
    if !mailer.is_ready().await {
        return Err(Undelivered::Later("the mail server does not answer".to_owned()));
    }
    let notices: Vec<&Notice> = rows.iter().map(|(row, _)| &row.notice).collect();
    // The same messages make the same id: who gets a mail twice sees that it is one.
    let ids: Vec<String> = rows.iter().map(|(row, _)| row.id.to_string()).collect();
    let id = derive(first.id, &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let (mut sent, mut failed) = (0, None);
    for (_, address) in people.iter().filter(|(_, address)| !address.is_empty()) {
        match mailer.send_as(&format!("<{id}@argusiq>"), address, &subject(&notices), &text(&notices)).await {
            Ok(()) => sent += 1,
            Err(error) => failed = Some(chain(&error)),
        }
    }
    match (sent, failed) {
        (0, Some(reason)) => Err(Undelivered::Later(reason)),
        (0, None) => Err(Undelivered::Never("nobody with these work roles has an address".to_owned())),
        (sent, _) => Ok(sent),
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
    for notice in notices.iter().take(LISTED) {
        text += &format!("{}  {}\n", notice.measured_at.format("%Y-%m-%d %H:%M:%S UTC"), line(notice));
    }
    if notices.len() > LISTED {
        text += &format!("… and {} more\n", notices.len() - LISTED);
    }
    text + "\nAlarms are in the API: GET /api/v1/alarms?open=true\n"
}

/// Says in one line what happened.
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
    fn one_message_is_its_own_subject_and_many_are_counted() {
        let breach = notice(Transition::ThresholdBreach);
        let said = "[high] Hot breached on asset 00000000-0000-0000-0000-000000000000 (temperature 90.5)";
        assert_eq!(subject(&[&breach]), said);
        assert!(text(&[&breach]).starts_with(&format!("1970-01-01 00:00:00 UTC  {said}\n")));
        let over = notice(Transition::ReturnToNormal);
        assert_eq!(subject(&[&breach, &over]), "2 alarm messages");
        assert!(text(&[&over]).contains("Hot returned to normal on asset"));
        let many = vec![&breach; LISTED + 3];
        assert!(text(&many).contains("… and 3 more"));
    }
}
