//! A person as the API shows them: the sealed texts opened.

use commands::UserProfile;

use crate::prelude::*;

/// A person.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct User {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    email: String,
    role: String,
    work_roles: Vec<String>,
    active: bool,
}

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
        }
    }
}
