//! Lists activities.

use poem_openapi::Enum;
use projections::activity_board::read::{self, ActivityFilter};

use super::view::Activity;
use crate::enums::Severity;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The status of an activity.
#[derive(Clone, Copy, Enum)]
#[oai(rename_all = "snake_case")]
enum ActivityStatus {
    Pending,
    Assigned,
    InProgress,
    Done,
    Cancelled,
}

page! {
    /// One page of the list.
    Activities { activities: Activity }
}

impl ActivityStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Assigned => "assigned",
            Self::InProgress => "in_progress",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

#[OpenApi]
impl Api {
    /// List activities
    ///
    /// Newest first. `total` is capped at 10,001.
    #[oai(path = "/activities", method = "get", tag = "Tag::Activities", operation_id = "listActivities")]
    #[allow(clippy::too_many_arguments)]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        status: Query<Option<ActivityStatus>>,
        priority: Query<Option<Severity>>,
        #[oai(name = "targetId")] target_id: Query<Option<Uuid>>,
        #[oai(name = "assignedToUserId")] assigned_to_user_id: Query<Option<Uuid>>,
        #[oai(name = "assignedRole")] assigned_role: Query<Option<String>>,
        overdue: Query<Option<bool>>,
        #[oai(name = "alarmId")] alarm_id: Query<Option<Uuid>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Activities>, Problem> {
        let filter = ActivityFilter {
            status: status.0.map(|status| status.as_str().to_owned()),
            priority: priority.0.map(|priority| priority.as_str().to_owned()),
            target_id: target_id.0,
            assigned_user_id: assigned_to_user_id.0,
            assigned_role: assigned_role.0,
            overdue: overdue.0,
            alarm_id: alarm_id.0,
        };
        let page = read::list(&state.reader, caller.organization.0, &filter, paging(limit, offset, &cursor)?).await?;
        Ok(Json(Activities::new(page)))
    }
}
