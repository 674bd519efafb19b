//! Users in responses, with name and e-mail address decrypted.

use commands::{Receipt, UserProfile};
use domain::ids::UserId;
use projections::tenant_register::NAME;

use crate::auth::Caller;
use crate::error_mapping::never_refused;
use crate::etag::response_version;
use crate::prelude::*;

/// A user.
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
    /// Whether the user can sign in.
    active: bool,
    /// Whether the user's personal data was erased.
    erased: bool,
    pub(super) version: i64,
}

/// One user.
#[derive(Debug, Object)]
pub struct UserResponse {
    /// The user.
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

/// Returns a user of the caller's organisation.
pub async fn find(state: &State, caller: &Caller, id: Uuid) -> Result<UserProfile, Problem> {
    let profile = state.commands.user_profile(caller.organization, UserId(id)).await.map_err(never_refused)?;
    profile.ok_or_else(|| Problem::not_found("user"))
}

/// Returns a user as they are after a write.
pub async fn after_write(
    state: &State,
    caller: &Caller,
    id: Uuid,
    receipt: Receipt,
) -> Result<Revised<UserResponse>, Problem> {
    wait_until_visible(state, NAME, receipt).await;
    Ok(Revised(UserResponse { user: find(state, caller, id).await?.into() }, Some(receipt)))
}
