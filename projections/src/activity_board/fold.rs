//! Domain events into rows of activities. Pure.

use domain::AnyEvent;
use domain::activity::{ActivityEvent, WorkOrder};
use eventlog::Stream;

use super::{ActivityRow, Comment, Item};
use crate::fact::{Fact, text_of};
use crate::fold::Fold;
use crate::sheet::{AnySheet, Sheet};

/// The fold of activities.
pub struct Activities;

impl Fold for Activities {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::EsActivity];
    const TABLES: &'static [&'static str] = &["activities"];
    type Sheets = Sheet<ActivityRow>;

    fn sheets(sheets: &mut Self::Sheets) -> Vec<&mut dyn AnySheet> {
        vec![sheets]
    }

    fn touch(sheets: &mut Self::Sheets, fact: &Fact) {
        if matches!(fact.event, AnyEvent::Activity(_)) {
            sheets.want(fact.id);
        }
    }

    fn fold(activities: &mut Self::Sheets, fact: &Fact) {
        let AnyEvent::Activity(event) = &fact.event else { return };
        if let ActivityEvent::ActivityCreated { order } = event {
            activities.put(created(order, fact));
            return;
        }
        activities.change(fact.id, |row| {
            change(row, event, fact);
            (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
        });
    }
}

fn change(row: &mut ActivityRow, event: &ActivityEvent, fact: &Fact) {
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
            row.started_at = Some(fact.at());
        }
        ActivityEvent::ActivityItemChecked { index, done } => {
            if let Some(item) = row.checklist.get_mut(*index) {
                item.done = *done;
            }
        }
        ActivityEvent::ActivityCompleted { note } => {
            row.status = "done".into();
            row.ended_at = Some(fact.at());
            row.note.clone_from(note);
        }
        ActivityEvent::ActivityCancelled { reason } => {
            row.status = "cancelled".into();
            row.ended_at = Some(fact.at());
            row.cancelled_reason = Some(reason.clone());
        }
        ActivityEvent::ActivityOverdue { .. } => row.overdue = true,
        ActivityEvent::ActivityCommented { text } => {
            row.comments.push(Comment { author: fact.actor(), text: text.clone(), at: fact.at() });
        }
    }
}

fn created(order: &WorkOrder, fact: &Fact) -> ActivityRow {
    ActivityRow {
        id: fact.id,
        organization_id: fact.organization,
        template_id: order.template_id.map(|template| template.0),
        name: order.name.clone(),
        description: order.description.clone(),
        target_type: text_of(&order.target_type),
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
        created_at: fact.at(),
        created_by: fact.actor(),
        started_at: None,
        ended_at: None,
        note: None,
        cancelled_reason: None,
        comments: Vec::new(),
        updated_at: fact.at(),
        version: fact.version,
        position: fact.position,
    }
}
