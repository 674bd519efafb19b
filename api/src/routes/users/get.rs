//! Shows a user.

use super::view::{UserResponse, find};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show a user
    #[oai(path = "/users/:id", method = "get", tag = "Tag::Users", operation_id = "getUser")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageUsers>,
        id: Path<Uuid>,
    ) -> Result<Fetched<UserResponse>, Problem> {
        Ok(Fetched(UserResponse { user: find(&state, &caller, id.0).await?.into() }))
    }
}
