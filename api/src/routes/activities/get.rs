//! Shows one activity.

use projections::activity_board::read::{self, Activity};

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
        /// Shows the state at this time, rebuilt from the events recorded at or before it; defaults to the present.
        #[oai(name = "asOf")]
        as_of: AsOf,
    ) -> Result<Fetched<ActivityResponse>, Problem> {
        let activity = match point_in_time(&state, &caller, &as_of) {
            None => read::get(&state.reader, caller.organization.0, id.0).await?,
            Some(past) => past.activity(id.0).await?.map(|row| Activity { row, target_name: None }),
        };
        Ok(Fetched(activity.ok_or_else(|| Problem::not_found("activity"))?.into()))
    }
}
