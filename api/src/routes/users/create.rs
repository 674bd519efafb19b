//! Creates a user.

use commands::NewUser;
use domain::ids::OrganizationId;
use domain::user::AccessRole;
use projections::tenant_register::NAME;

use super::view::UserResponse;
use crate::enums::Role;
use crate::error_mapping::never_refused;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A new user.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CreateUser {
    #[oai(validator(min_length = 3, max_length = 254))]
    email: String,
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    /// 8 to 200 characters.
    #[oai(validator(min_length = 8, max_length = 200))]
    password: String,
    role: Role,
    /// Work roles, such as `technician`, to which activities are assigned.
    #[oai(default)]
    work_roles: Vec<String>,
    /// An organisation other than the caller's; platform administrators only.
    #[oai(nullable)]
    organization_id: Option<Uuid>,
}

#[OpenApi]
impl Api {
    /// Create a user
    ///
    /// E-mail addresses are unique on the platform. Nobody can grant a role higher than their own.
    #[oai(path = "/users", method = "post", tag = "Tag::Users", operation_id = "createUser")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageUsers>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<CreateUser>,
    ) -> Result<Created<UserResponse>, Problem> {
        let CreateUser { email, name, password, role, work_roles, organization_id } = body.0;
        let access_role = AccessRole::from(role);
        let organization = organization_id.map_or(caller.organization, OrganizationId);
        if access_role > caller.role {
            return Err(Problem::of(Kind::Forbidden, "nobody can grant a role higher than their own"));
        }
        if organization != caller.organization && caller.role != AccessRole::PlatformAdmin {
            return Err(Problem::not_found("organisation"));
        }
        let context = commands::CommandContext { organization, ..intent.context(&caller) };
        let new = NewUser { email, name, password, access_role, work_roles };
        let registered = state.commands.register_user(&context, new).await?;
        wait_until_visible(&state, NAME, registered.receipt).await;
        let profile = state.commands.user_profile(organization, registered.user).await.map_err(never_refused)?;
        let profile = profile.ok_or_else(|| Problem::stored(registered.user.0, registered.receipt))?;
        Ok(Created(UserResponse { user: profile.into() }, registered.receipt))
    }
}
