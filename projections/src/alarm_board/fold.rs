//! Folds domain events into rows of alarms. Pure.

use domain::AnyEvent;
use domain::alarm::{AlarmEvent, Breach};
use domain::alarming::Suppression;
use eventlog::Stream;

use super::AlarmRow;
use crate::activity_board::Comment;
use crate::decoded_event::DecodedEvent;
use crate::fold::Fold;
use crate::row_batch::{AnyRowBatch, RowBatch};
use crate::sql_values::{enum_text, to_bigint};

/// The fold of alarms.
pub struct Alarms;

impl Fold for Alarms {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::EsAlarm];
    const TABLES: &'static [&'static str] = &["alarms"];
    type Rows = RowBatch<AlarmRow>;

    fn row_batches(rows: &mut Self::Rows) -> Vec<&mut dyn AnyRowBatch> {
        vec![rows]
    }

    fn request_rows(rows: &mut Self::Rows, decoded: &DecodedEvent) {
        if matches!(decoded.event, AnyEvent::Alarm(_)) {
            rows.request(decoded.id);
        }
    }

    fn fold(alarms: &mut Self::Rows, decoded: &DecodedEvent) {
        let AnyEvent::Alarm(event) = &decoded.event else { return };
        let mut update = |change: &dyn Fn(&mut AlarmRow)| {
            alarms.update(decoded.id, |row| {
                change(row);
                (row.version, row.position) = (decoded.version, decoded.position);
            });
        };
        match event {
            AlarmEvent::AlarmRaised { breach } => alarms.upsert(raised(breach, decoded)),
            AlarmEvent::AlarmStartAmended { started_at } => update(&|row| row.started_at = *started_at),
            AlarmEvent::AlarmReturnedToNormal { value, at, .. } => update(&|row| {
                row.active = false;
                (row.suppression, row.shelved_until) = (None, None);
                (row.returned_at, row.returned_value) = (Some(*at), *value);
            }),
            AlarmEvent::AlarmRepeated { repeats, .. } => update(&|row| {
                row.repeats = i64::from(*repeats);
                row.active = true;
                (row.returned_at, row.returned_value) = (None, None);
            }),
            AlarmEvent::AlarmSuppressed { suppression } => update(&|row| {
                let (why, until) = match suppression {
                    Suppression::OutOfService => ("out_of_service", None),
                    Suppression::Shelved { until } => ("shelved", Some(*until)),
                };
                (row.suppression, row.shelved_until) = (Some(why.to_owned()), until);
            }),
            AlarmEvent::AlarmUnsuppressed {} => update(&|row| (row.suppression, row.shelved_until) = (None, None)),
            AlarmEvent::AlarmSuperseded { by } => update(&|row| {
                close(row, "superseded", decoded);
                row.superseded_by = Some(by.0);
            }),
            AlarmEvent::AlarmDismissed { reason } => update(&|row| {
                close(row, "dismissed", decoded);
                row.dismissed_by = Some(decoded.actor());
                row.dismissed_reason = Some(reason.clone());
            }),
            AlarmEvent::AlarmReopened { .. } => update(&|row| {
                (row.closed, row.closed_at) = (None, None);
                (row.dismissed_by, row.dismissed_reason) = (None, None);
                row.acknowledged = false;
                (row.acknowledged_at, row.acknowledged_by, row.acknowledged_comment) = (None, None, None);
            }),
            AlarmEvent::AlarmAssigned { assignee } => update(&|row| row.assignee_id = assignee.map(|user| user.0)),
            AlarmEvent::AlarmCommented { text } => update(&|row| {
                row.comments.push(Comment { author: decoded.actor(), text: text.clone(), at: decoded.recorded_at() });
            }),
            AlarmEvent::AlarmAcknowledged { comment } => update(&|row| {
                row.acknowledged = true;
                row.acknowledged_at = Some(decoded.recorded_at());
                row.acknowledged_by = Some(decoded.actor());
                row.acknowledged_comment.clone_from(comment);
            }),
        }
    }
}

fn close(row: &mut AlarmRow, why: &str, decoded: &DecodedEvent) {
    (row.closed, row.closed_at) = (Some(why.to_owned()), Some(decoded.recorded_at()));
}

fn raised(breach: &Breach, decoded: &DecodedEvent) -> AlarmRow {
    AlarmRow {
        id: decoded.id,
        organization_id: decoded.organization,
        rule_id: breach.rule_id.0,
        rule_name: breach.rule_name.clone(),
        entity_type: enum_text(&breach.entity_type),
        entity_id: breach.entity_id,
        metric_key: breach.metric_key.clone(),
        condition: (*breach.condition).clone(),
        severity: breach.severity.to_string(),
        value: breach.value,
        episode: to_bigint(breach.episode),
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
        recorded_at: decoded.recorded_at(),
        version: decoded.version,
        position: decoded.position,
    }
}
