//! Says who the caller is.

use crate::prelude::*;
use crate::refusals::never_refused;

use super::SignedInUser;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Who am I?
    #[oai(path = "/auth/me", method = "get", tag = "Tag::Auth", operation_id = "me")]
    async fn call(&self, state: Data<&State>, caller: Allowed<access::Read>) -> Result<Json<SignedInUser>, Problem> {
        let profile = state.commands.user_profile(caller.organization, caller.user).await.map_err(never_refused)?;
        let profile = profile.filter(|profile| profile.is_active);
        let profile = profile.ok_or_else(|| Problem::of(Kind::Unauthenticated, "the user is not active any more"))?;
        Ok(Json(SignedInUser {
            id: profile.user.0,
            name: profile.name,
            email: profile.email,
            organization_id: profile.organization.0,
            role: profile.access_role.to_string(),
            work_roles: profile.work_roles,
        }))
    }
}
