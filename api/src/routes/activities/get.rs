//! Shows one activity.

use projections::activity_board::read;

use super::view::ActivityResponse;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show an activity
    #[oai(path = "/activities/:id", method = "get", tag = "Tag::Activities", operation_id = "getActivity")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Json<ActivityResponse>, Problem> {
        let activity = read::get(&state.reader, caller.organization.0, id.0).await?;
        Ok(Json(activity.ok_or_else(|| Problem::not_found("activity"))?.into()))
    }
}
