//! Checks which users the caller can change: those of the organisation whose role is not above the caller's; and not
//! the caller where that would lock everybody out.

use commands::UserProfile;

use super::view::find;
use crate::auth::{Caller, Principal};
use crate::prelude::*;

/// Returns a user that the caller can change.
pub async fn find_changeable(state: &State, caller: &Caller, id: Uuid) -> Result<UserProfile, Problem> {
    let profile = find(state, caller, id).await?;
    if profile.access_role > caller.role {
        return Err(Problem::of(Kind::Forbidden, "nobody can change a user with a higher role than their own"));
    }
    Ok(profile)
}

/// Returns a user, other than the caller, that the caller can change.
pub async fn find_changeable_other(state: &State, caller: &Caller, id: Uuid) -> Result<UserProfile, Problem> {
    let profile = find_changeable(state, caller, id).await?;
    match caller.principal == Principal::User(profile.user) {
        true => Err(Problem::of(Kind::Forbidden, "nobody can do this to themselves; ask another administrator")),
        false => Ok(profile),
    }
}
