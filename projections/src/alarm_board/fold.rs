//! Domain events into rows of alarms. Pure.

use domain::AnyEvent;
use domain::alarm::{AlarmEvent, Breach};
use domain::alarming::Suppression;
use eventlog::Stream;

use super::AlarmRow;
use crate::activity_board::Comment;
use crate::fact::{Fact, signed, text_of};
use crate::fold::Fold;
use crate::sheet::{AnySheet, Sheet};

/// The fold of alarms.
pub struct Alarms;

impl Fold for Alarms {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::EsAlarm];
    const TABLES: &'static [&'static str] = &["alarms"];
    type Sheets = Sheet<AlarmRow>;

    fn sheets(sheets: &mut Self::Sheets) -> Vec<&mut dyn AnySheet> {
        vec![sheets]
    }

    fn touch(sheets: &mut Self::Sheets, fact: &Fact) {
        if matches!(fact.event, AnyEvent::Alarm(_)) {
            sheets.want(fact.id);
        }
    }

    fn fold(alarms: &mut Self::Sheets, fact: &Fact) {
        let AnyEvent::Alarm(event) = &fact.event else { return };
        let mut change = |change: &dyn Fn(&mut AlarmRow)| {
            alarms.change(fact.id, |row| {
                change(row);
                (row.version, row.position) = (fact.version, fact.position);
            });
        };
        match event {
            AlarmEvent::AlarmRaised { breach } => alarms.put(raised(breach, fact)),
            AlarmEvent::AlarmStartAmended { started_at } => change(&|row| row.started_at = *started_at),
            AlarmEvent::AlarmReturnedToNormal { value, at } => change(&|row| {
                row.active = false;
                (row.suppression, row.shelved_until) = (None, None);
                (row.returned_at, row.returned_value) = (Some(*at), *value);
            }),
            AlarmEvent::AlarmRepeated { repeats, .. } => change(&|row| {
                row.repeats = i64::from(*repeats);
                row.active = true;
                (row.returned_at, row.returned_value) = (None, None);
            }),
            AlarmEvent::AlarmSuppressed { suppression } => change(&|row| {
                let (why, until) = match suppression {
                    Suppression::OutOfService => ("out_of_service", None),
                    Suppression::Shelved { until } => ("shelved", Some(*until)),
                };
                (row.suppression, row.shelved_until) = (Some(why.to_owned()), until);
            }),
            AlarmEvent::AlarmUnsuppressed {} => change(&|row| (row.suppression, row.shelved_until) = (None, None)),
            AlarmEvent::AlarmSuperseded { by } => change(&|row| {
                close(row, "superseded", fact);
                row.superseded_by = Some(by.0);
            }),
            AlarmEvent::AlarmDismissed { reason } => change(&|row| {
                close(row, "dismissed", fact);
                row.dismissed_by = Some(fact.actor());
                row.dismissed_reason = Some(reason.clone());
            }),
            AlarmEvent::AlarmAssigned { assignee } => change(&|row| row.assignee_id = assignee.map(|user| user.0)),
            AlarmEvent::AlarmCommented { text } => change(&|row| {
                row.comments.push(Comment { author: fact.actor(), text: text.clone(), at: fact.at() });
            }),
            AlarmEvent::AlarmAcknowledged { comment } => change(&|row| {
                row.acknowledged = true;
                row.acknowledged_at = Some(fact.at());
                row.acknowledged_by = Some(fact.actor());
                row.acknowledged_comment.clone_from(comment);
            }),
        }
    }
}

fn close(row: &mut AlarmRow, why: &str, fact: &Fact) {
    (row.closed, row.closed_at) = (Some(why.to_owned()), Some(fact.at()));
}

fn raised(breach: &Breach, fact: &Fact) -> AlarmRow {
    AlarmRow {
        id: fact.id,
        organization_id: fact.organization,
        rule_id: breach.rule_id.0,
        rule_name: breach.rule_name.clone(),
        entity_type: text_of(&breach.entity_type),
        entity_id: breach.entity_id,
        metric_key: breach.metric_key.clone(),
        condition: (*breach.condition).clone(),
        severity: breach.severity.to_string(),
        value: breach.value,
        episode: signed(breach.episode),
        started_at: breach.started_at,
        raised_at: breach.raised_at,
        active: true,
        returned_at: None,
        returned_value: None,
        acknowledged: false,
        acknowledged_at: None,
        acknowledged_by: None,
        acknowledged_comment: None,
        repeats: 0,
        suppression: None,
        shelved_until: None,
        assignee_id: None,
        comments: Vec::new(),
        closed: None,
        closed_at: None,
        dismissed_by: None,
        dismissed_reason: None,
        superseded_by: None,
        recorded_at: fact.at(),
        version: fact.version,
        position: fact.position,
    }
}
