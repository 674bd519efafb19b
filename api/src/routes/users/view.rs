//! A person as the API shows them: the sealed texts opened.

use commands::{Receipt, UserProfile};
use domain::ids::UserId;
use projections::tenant_register::NAME;

use crate::auth::Caller;
use crate::error_mapping::never_refused;
use crate::etag::response_version;
use crate::prelude::*;

/// A person.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct User {
    id: Uuid,
    organization_id: Uuid,
    /// Empty once erased.
    name: String,
    /// Empty once erased.
    email: String,
    role: String,
    work_roles: Vec<String>,
    /// Whether they may sign in.
    active: bool,
    /// Whether their personal data is gone for good.
    erased: bool,
    pub(super) version: i64,
}

/// One person.
#[derive(Debug, Object)]
pub struct UserResponse {
    /// Them.
    pub user: User,
}

versioned!(UserResponse, user);

impl From<UserProfile> for User {
    fn from(profile: UserProfile) -> Self {
        Self {
            id: profile.user.0,
            organization_id: profile.organization.0,
            name: profile.name,
            email: profile.email,
            role: profile.access_role.to_string(),
            work_roles: profile.work_roles,
            active: profile.is_active,
            erased: profile.is_erased,
            version: response_version(profile.version),
        }
    }
}

/// Returns one person of the caller's organisation.
pub async fn find(state: &State, caller: &Caller, id: Uuid) -> Result<UserProfile, Problem> {
    let profile = state.commands.user_profile(caller.organization, UserId(id)).await.map_err(never_refused)?;
    profile.ok_or_else(|| Problem::not_found("user"))
}

/// Returns one person as they are after a write.
pub async fn after_write(
    state: &State,
    caller: &Caller,
    id: Uuid,
    receipt: Receipt,
) -> Result<Revised<UserResponse>, Problem> {
    wait_until_visible(state, NAME, receipt).await;
    Ok(Revised(UserResponse { user: find(state, caller, id).await?.into() }, Some(receipt)))
}
