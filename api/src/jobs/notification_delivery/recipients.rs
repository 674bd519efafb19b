//! Finds the users who currently hold a work role, with their e-mail addresses.

use domain::ids::{OrganizationId, UserId};
use eventlog::error_chain;
use projections::Paging;
use projections::tenant_register::read as people;
use uuid::Uuid;

use super::attempt::Undelivered;
use crate::state::State;

/// Most users of an organisation that are read.
const MAX_USERS: i64 = 1_000;

/// Returns the active users of an organisation who hold one of these work roles, with their e-mail addresses; an
/// address may be empty. Nobody to deliver to is a final failure.
pub async fn with_work_roles(
    state: &State,
    organization: Uuid,
    roles: &[String],
) -> Result<Vec<(UserId, String)>, Undelivered> {
    let later = |error: &dyn std::error::Error| Undelivered::Later(error.to_string());
    let all =
        people::users(&state.reader, organization, Paging::first(MAX_USERS)).await.map_err(|error| later(&error))?;
    let mut found = Vec::new();
    for row in all.items.into_iter().filter(|row| row.active && row.work_roles.iter().any(|role| roles.contains(role)))
    {
        let profile = state.commands.user_profile(OrganizationId(organization), UserId(row.id)).await;
        let profile = profile.map_err(|error| Undelivered::Later(error_chain(&error)))?;
        found.extend(profile.filter(|profile| profile.is_active).map(|profile| (profile.user, profile.email)));
    }
    if found.is_empty() {
        Err(Undelivered::Never("no active user has any of these work roles".to_owned()))
    } else {
        Ok(found)
    }
}
