//! Who has a work role at the moment.

use domain::ids::{OrganizationId, UserId};
use projections::Paging;
use projections::tenant_register::read as people;
use uuid::Uuid;

use super::Undelivered;
use crate::error_mapping::chain;
use crate::state::State;

/// Most people of an organisation that are looked at.
const MOST: i64 = 1_000;

/// Returns the active people of an organisation who have one of these work roles, with their addresses.
pub async fn of(state: &State, organization: Uuid, roles: &[String]) -> Result<Vec<(UserId, String)>, Undelivered> {
    let later = |error: &dyn std::error::Error| Undelivered::Later(error.to_string());
    let all = people::users(&state.reader, organization, Paging::first(MOST)).await.map_err(|error| later(&error))?;
    let mut found = Vec::new();
    for row in all.items.into_iter().filter(|row| row.active && row.work_roles.iter().any(|role| roles.contains(role)))
    {
        let profile = state.commands.user_profile(OrganizationId(organization), UserId(row.id)).await;
        let profile = profile.map_err(|error| Undelivered::Later(chain(&error)))?;
        found.extend(profile.filter(|profile| profile.is_active).map(|profile| (profile.user, profile.email)));
    }
    if found.is_empty() { Err(Undelivered::Never("nobody has these work roles".to_owned())) } else { Ok(found) }
}
