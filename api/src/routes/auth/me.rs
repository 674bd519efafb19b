//! Shows who the caller is.

use domain::api_key::ApiKey;

use super::sign_in_response::SignedInUser;
use crate::auth::Principal;
use crate::error_mapping::never_refused;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show the caller
    #[oai(path = "/auth/me", method = "get", tag = "Tag::Auth", operation_id = "me")]
    async fn call(&self, state: Data<&State>, caller: Allowed<access::Read>) -> Result<Json<SignedInUser>, Problem> {
        let gone = || Problem::of(Kind::Unauthenticated, "the user is no longer active");
        let (id, name, email, work_roles) = match caller.principal {
            Principal::User(user) => {
                let profile = state.commands.user_profile(caller.home, user).await.map_err(never_refused)?;
                let profile = profile.filter(|profile| profile.is_active).ok_or_else(gone)?;
                (user.0, profile.name, profile.email, profile.work_roles)
            }
            Principal::ApiKey(key) => {
                let known = state.commands.load::<ApiKey>(caller.home, key.0).await.map_err(never_refused)?;
                let terms = known.and_then(|(known, _)| known.terms).ok_or_else(gone)?;
                (key.0, terms.name, String::new(), vec![])
            }
        };
        let (organization_id, role) = (caller.home.0, caller.role.to_string());
        Ok(Json(SignedInUser { id, name, email, organization_id, role, work_roles }))
    }
}
