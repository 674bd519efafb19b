//! Changes a user's name, access role and work roles.

use domain::ids::UserId;
use domain::user::{AccessRole, User, UserCommand};

use super::may_change::{find_changeable, find_changeable_other};
use super::view::{self, UserResponse, after_write};
use crate::enums::Role;
use crate::error_mapping::never_refused;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The fields to change; omitted fields keep their values.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateUser {
    #[oai(nullable, validator(min_length = 1, max_length = 200))]
    name: Option<String>,
    /// A change ends the user's sessions.
    #[oai(nullable)]
    role: Option<Role>,
    /// Replaces all work roles.
    #[oai(nullable)]
    work_roles: Option<Vec<String>>,
}

#[OpenApi]
impl Api {
    /// Change a user
    ///
    /// Nobody can change a user with a higher role, grant a role higher than their own, or change their own role.
    #[oai(path = "/users/:id", method = "put", tag = "Tag::Users", operation_id = "updateUser")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageUsers>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] mut expected: IfMatch,
        id: Path<Uuid>,
        body: Body<UpdateUser>,
    ) -> Result<Revised<UserResponse>, Problem> {
        let UpdateUser { name, role, work_roles } = body.0;
        let present = find_changeable(&state, &caller, id.0).await?;
        let context = intent.context(&caller);
        let mut commands = vec![];
        if let Some(access_role) = role.map(AccessRole::from).filter(|role| *role != present.access_role) {
            find_changeable_other(&state, &caller, id.0).await?;
            if access_role > caller.role {
                return Err(Problem::of(Kind::Forbidden, "nobody can grant a role higher than their own"));
            }
            commands.push(("access role", UserCommand::ChangeAccessRole { access_role }));
        }
        if let Some(name) = name.filter(|name| *name != present.name) {
            let sealed = state.commands.seal_name(UserId(id.0), &name).await.map_err(never_refused)?;
            let refused = || Problem::field("name", "must have 1 to 200 characters");
            let name = match sealed {
                Some(name) => name,
                None if present.is_erased => return Err(Problem::of(Kind::WrongState, "the user was erased")),
                None => return Err(refused()),
            };
            commands.push(("name", UserCommand::RenameUser { name }));
        }
        commands.extend(work_roles.map(|work_roles| ("work roles", UserCommand::ChangeWorkRoles { work_roles })));
        let mut last = None;
        for (step, command) in commands {
            // `If-Match` applies to the first command; the others follow on its version.
            last = Some(state.commands.execute_at::<User>(&context.step(step), id.0, command, expected.take()).await?);
        }
        match last {
            Some(receipt) => after_write(&state, &caller, id.0, receipt).await,
            None => {
                let user = view::User::from(present);
                expected.holds(user.version)?;
                Ok(Revised(UserResponse { user }, None))
            }
        }
    }
}
