//! Activities in responses, and the helper that changes one.

use commands::Receipt;
use domain::activity::ActivityCommand;
use projections::activity_board::{Comment as StoredComment, Item as StoredItem, NAME, read};

use crate::auth::Caller;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// An item of the checklist.
#[derive(Debug, Object)]
#[oai(rename = "ActivityItem")]
struct Item {
    item: String,
    required: bool,
    done: bool,
}

/// A comment.
#[derive(Debug, Object)]
#[oai(rename = "ActivityComment")]
struct Comment {
    author: String,
    text: String,
    at: Time,
}

/// A work order.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct Activity {
    id: Uuid,
    organization_id: Uuid,
    template_id: Option<Uuid>,
    name: String,
    description: Option<String>,
    /// `device`, `asset` or `space`.
    target_type: String,
    target_id: Uuid,
    target_name: Option<String>,
    priority: String,
    /// `pending`, `assigned`, `in_progress`, `done` or `cancelled`.
    status: String,
    assigned_role: Option<String>,
    assigned_to_user_id: Option<Uuid>,
    due_at: Option<Time>,
    /// Whether it is past its due time without having ended.
    overdue: bool,
    checklist: Vec<Item>,
    /// The alarm that caused it.
    alarm_id: Option<Uuid>,
    comments: Vec<Comment>,
    created_at: Time,
    created_by: String,
    started_at: Option<Time>,
    ended_at: Option<Time>,
    note: Option<String>,
    cancelled_reason: Option<String>,
    updated_at: Time,
    version: i64,
}

/// One activity.
#[derive(Debug, Object)]
pub struct ActivityResponse {
    activity: Activity,
}

impl From<read::Activity> for Activity {
    fn from(activity: read::Activity) -> Self {
        let row = activity.row;
        let item = |StoredItem { item, required, done }: StoredItem| Item { item, required, done };
        let comment = |StoredComment { author, text, at }: StoredComment| Comment { author, text, at: at.into() };
        Self {
            id: row.id,
            organization_id: row.organization_id,
            template_id: row.template_id,
            name: row.name,
            description: row.description,
            target_type: row.target_type,
            target_id: row.target_id,
            target_name: activity.target_name,
            priority: row.priority,
            status: row.status,
            assigned_role: row.assigned_role,
            assigned_to_user_id: row.assigned_user_id,
            overdue: row.overdue,
            due_at: row.due_at.map(Into::into),
            checklist: row.checklist.into_iter().map(item).collect(),
            alarm_id: row.alarm_id,
            comments: row.comments.into_iter().map(comment).collect(),
            created_at: row.created_at.into(),
            created_by: row.created_by,
            started_at: row.started_at.map(Into::into),
            ended_at: row.ended_at.map(Into::into),
            note: row.note,
            cancelled_reason: row.cancelled_reason,
            updated_at: row.updated_at.into(),
            version: row.version,
        }
    }
}

versioned!(ActivityResponse, activity);

impl From<read::Activity> for ActivityResponse {
    fn from(activity: read::Activity) -> Self {
        Self { activity: activity.into() }
    }
}

/// Returns an activity as it is after a write.
pub async fn after_write(
    state: &State,
    caller: &Caller,
    id: Uuid,
    receipt: Receipt,
) -> Result<ActivityResponse, Problem> {
    let found =
        read_after_write(state, NAME, (id, receipt), read::get(&state.reader, caller.organization.0, id)).await?;
    Ok(found.into())
}

/// Executes a command on an activity and returns the result.
pub async fn change(
    state: &State,
    caller: &Caller,
    write: Write<'_>,
    id: Uuid,
    command: ActivityCommand,
) -> Result<Revised<ActivityResponse>, Problem> {
    let context = write.intent.context(caller);
    let receipt =
        state.commands.execute_at::<domain::activity::Activity>(&context, id, command, write.expected.0).await?;
    Ok(Revised(after_write(state, caller, id, receipt).await?, Some(receipt)))
}
