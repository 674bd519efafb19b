//! Lists users.

use domain::ids::UserId;
use projections::Page;
use projections::tenant_register::read;

use super::view::User;
use crate::error_mapping::never_refused;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

page! {
    /// One page of the list.
    Users { users: User }
}

#[OpenApi]
impl Api {
    /// List users
    #[oai(path = "/users", method = "get", tag = "Tag::Users", operation_id = "listUsers")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageUsers>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Users>, Problem> {
        let page = read::users(&state.reader, caller.organization.0, paging(limit, offset, &cursor)?).await?;
        let mut users = Vec::with_capacity(page.items.len());
        for row in page.items {
            let profile = state.commands.user_profile(caller.organization, UserId(row.id)).await;
            users.extend(profile.map_err(never_refused)?.map(User::from));
        }
        let page = Page { items: users, total: page.total, next: page.next };
        Ok(Json(Users::new(page)))
    }
}
