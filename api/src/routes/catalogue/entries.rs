//! What the endpoints of every catalogue kind do: define, revise, retire, show and list entries.

use std::convert::Infallible;

use commands::Executable;
use domain::Decide;
use domain::catalogue::{Entry, EntryCommand, EntryError};
use projections::catalogue::{EntryRow, NAME, StoredDefinition, read};
use projections::dependents::Referenced;
use projections::{Page, Paging};

use crate::auth::Caller;
use crate::error_mapping::Refusal;
use crate::prelude::*;
use crate::routes::ensure_unused::ensure_unused;
use crate::routes::read_your_writes::read_after_write;

/// The fields of every entry besides its definition.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct CatalogueEntry {
    id: Uuid,
    organization_id: Uuid,
    retired: bool,
    created_at: Time,
    /// `user:<id>`.
    created_by: String,
    updated_at: Time,
    pub version: i64,
}

impl<D> From<&EntryRow<D>> for CatalogueEntry {
    fn from(row: &EntryRow<D>) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            retired: row.retired,
            created_at: row.created_at.into(),
            created_by: row.created_by.clone(),
            updated_at: row.updated_at.into(),
            version: row.version,
        }
    }
}

/// Lets requests whose conversion cannot fail share the code of those that are checked.
impl From<Infallible> for Problem {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Defines an entry.
pub async fn define<D, R, V>(state: &State, caller: &Caller, intent: &Intent, request: R) -> Result<Created<V>, Problem>
where
    D: StoredDefinition + TryFrom<R>,
    Problem: From<<D as TryFrom<R>>::Error>,
    Entry<D>: Executable<Command = EntryCommand<D>, Error = EntryError<D>> + Decide,
    EntryError<D>: Refusal,
    V: From<EntryRow<D>>,
{
    let definition = D::try_from(request)?;
    let context = intent.context(caller);
    let id = context.created_id(D::NOUN);
    let receipt = state.commands.execute::<Entry<D>>(&context, id, EntryCommand::Define { definition }).await?;
    Ok(Created(after_write(state, caller, id, receipt).await?.into(), receipt))
}

/// Replaces the definition of an entry.
pub async fn revise<D, R, V>(
    state: &State,
    caller: &Caller,
    write: Write<'_>,
    id: Uuid,
    request: R,
) -> Result<Revised<V>, Problem>
where
    D: StoredDefinition + TryFrom<R>,
    Problem: From<<D as TryFrom<R>>::Error>,
    Entry<D>: Executable<Command = EntryCommand<D>, Error = EntryError<D>> + Decide,
    EntryError<D>: Refusal,
    V: From<EntryRow<D>>,
{
    let command = EntryCommand::Revise { definition: D::try_from(request)? };
    let context = write.intent.context(caller);
    let receipt = state.commands.execute_at::<Entry<D>>(&context, id, command, write.expected.0).await?;
    Ok(Revised(after_write(state, caller, id, receipt).await?.into(), Some(receipt)))
}

/// Retires an entry for good, unless something uses it.
pub async fn retire<D>(
    state: &State,
    caller: &Caller,
    write: Write<'_>,
    id: Uuid,
    used_as: Option<Referenced>,
) -> Result<Changed<Success>, Problem>
where
    D: StoredDefinition,
    Entry<D>: Executable<Command = EntryCommand<D>, Error = EntryError<D>> + Decide,
    EntryError<D>: Refusal,
{
    if let Some(used_as) = used_as {
        // The log cannot check this: users are other aggregates.
        ensure_unused(state, caller, used_as, id).await?;
    }
    let (context, command) = (write.intent.context(caller), EntryCommand::<D>::Retire {});
    let receipt = state.commands.execute_at::<Entry<D>>(&context, id, command, write.expected.0).await?;
    wait_until_visible(state, NAME, receipt).await;
    Ok(Success::at(receipt))
}

async fn after_write<D: StoredDefinition>(
    state: &State,
    caller: &Caller,
    id: Uuid,
    receipt: commands::Receipt,
) -> Result<EntryRow<D>, Problem> {
    read_after_write(state, NAME, (id, receipt), read::get(&state.reader, caller.organization.0, id)).await
}

/// Returns one entry of the caller's organisation.
pub async fn find<D: StoredDefinition>(state: &State, caller: &Caller, id: Uuid) -> Result<EntryRow<D>, Problem> {
    let found = read::get(&state.reader, caller.organization.0, id).await?;
    found.ok_or_else(|| Problem::not_found(D::NOUN))
}

/// Lists entries of one kind.
pub async fn list<D: StoredDefinition>(
    state: &State,
    caller: &Caller,
    retired: Query<Option<bool>>,
    paging: Paging,
) -> Result<Page<EntryRow<D>>, Problem> {
    Ok(read::list(&state.reader, caller.organization.0, retired.0.unwrap_or(false), paging).await?)
}
