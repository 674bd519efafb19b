//! Folds domain events into rows of activities. Pure.

use domain::AnyEvent;
use domain::activity::{ActivityEvent, WorkOrder};
use eventlog::Stream;

use super::{ActivityRow, Comment, Item};
use crate::decoded_event::DecodedEvent;
use crate::fold::Fold;
use crate::row_batch::{AnyRowBatch, RowBatch};
use crate::sql_values::enum_text;

/// The fold of activities.
pub struct Activities;

impl Fold for Activities {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::EsActivity];
    const TABLES: &'static [&'static str] = &["activities"];
    type Rows = RowBatch<ActivityRow>;

    fn row_batches(rows: &mut Self::Rows) -> Vec<&mut dyn AnyRowBatch> {
        vec![rows]
    }

    fn request_rows(rows: &mut Self::Rows, decoded: &DecodedEvent) {
        if matches!(decoded.event, AnyEvent::Activity(_)) {
            rows.request(decoded.id);
        }
    }

    fn fold(activities: &mut Self::Rows, decoded: &DecodedEvent) {
        let AnyEvent::Activity(event) = &decoded.event else { return };
        if let ActivityEvent::ActivityCreated { order } = event {
            activities.upsert(created(order, decoded));
            return;
        }
        activities.update(decoded.id, |row| {
            change(row, event, decoded);
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        });
    }
}

fn change(row: &mut ActivityRow, event: &ActivityEvent, decoded: &DecodedEvent) {
    match event {
        ActivityEvent::ActivityCreated { .. } => {}
        ActivityEvent::ActivityAssigned { role, user_id } => {
            row.assigned_role.clone_from(role);
            row.assigned_user_id = user_id.map(|user| user.0);
            if row.status == "pending" {
                row.status = "assigned".into();
            }
        }
        ActivityEvent::ActivityStarted {} => {
            row.status = "in_progress".into();
            row.started_at = Some(decoded.recorded_at());
        }
        ActivityEvent::ActivityItemChecked { index, done } => {
            if let Some(item) = row.checklist.get_mut(*index) {
                item.done = *done;
            }
        }
        ActivityEvent::ActivityCompleted { note } => {
            row.status = "done".into();
            row.ended_at = Some(decoded.recorded_at());
            row.note.clone_from(note);
        }
        ActivityEvent::ActivityCancelled { reason } => {
            row.status = "cancelled".into();
            row.ended_at = Some(decoded.recorded_at());
            row.cancelled_reason = Some(reason.clone());
        }
        ActivityEvent::ActivityOverdue { .. } => row.overdue = true,
        ActivityEvent::ActivityCommented { text } => {
            row.comments.push(Comment { author: decoded.actor(), text: text.clone(), at: decoded.recorded_at() });
        }
    }
}

fn created(order: &WorkOrder, decoded: &DecodedEvent) -> ActivityRow {
    ActivityRow {
        id: decoded.id,
        organization_id: decoded.organization,
        template_id: order.template_id.map(|template| template.0),
        name: order.name.clone(),
        description: order.description.clone(),
        target_type: enum_text(&order.target_type),
        target_id: order.target_id,
        priority: order.priority.to_string(),
        status: order.first_status().to_string(),
        assigned_role: order.assigned_role.clone(),
        assigned_user_id: order.assigned_user_id.map(|user| user.0),
        due_at: order.due_at,
        overdue: false,
        checklist: order
            .checklist
            .iter()
            .map(|item| Item { item: item.item.clone(), required: item.required, done: false })
            .collect(),
        alarm_id: order.alarm_id.map(|alarm| alarm.0),
        created_at: decoded.recorded_at(),
        created_by: decoded.actor(),
        started_at: None,
        ended_at: None,
        note: None,
        cancelled_reason: None,
        comments: Vec::new(),
        updated_at: decoded.recorded_at(),
        version: decoded.version,
        position: decoded.position,
    }
}
