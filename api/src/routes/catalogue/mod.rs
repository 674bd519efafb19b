//! The catalogue: activity types, asset profiles, protocol converters, notification channels. Every kind has the same five endpoints, so those of
//! one kind stand in one file; what they have in common is here.

mod activity_types;
mod asset_profiles;
mod converter_view;
mod notification_channels;
mod protocol_converters;
mod try_converter;

use commands::Executable;
use domain::Decide;
use domain::catalogue::{Entry, EntryCommand, EntryError};
use projections::catalogue::{EntryRow, NAME, StoredDefinition, read};
use projections::{Page, Paging};

use crate::auth::Caller;
use crate::error_mapping::Refusal;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// The endpoints.
pub type Api = (
    activity_types::Api,
    asset_profiles::Api,
    protocol_converters::Api,
    try_converter::Api,
    notification_channels::Api,
);

/// What every entry has beside its definition.
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

/// Defines an entry.
async fn define<D>(
    state: &State,
    caller: &Caller,
    intent: &Intent,
    definition: D,
) -> Result<(EntryRow<D>, commands::Receipt), Problem>
where
    D: StoredDefinition,
    Entry<D>: Executable<Command = EntryCommand<D>, Error = EntryError<D>> + Decide,
    EntryError<D>: Refusal,
{
    let context = intent.context(caller);
    let id = context.created_id(D::NOUN);
    let receipt = state.commands.execute::<Entry<D>>(&context, id, EntryCommand::Define { definition }).await?;
    Ok((after_write(state, caller, id, receipt).await?, receipt))
}

/// Replaces the definition of an entry.
async fn revise<D>(
    state: &State,
    caller: &Caller,
    (intent, expected): (&Intent, IfMatch),
    id: Uuid,
    definition: D,
) -> Result<(EntryRow<D>, Option<commands::Receipt>), Problem>
where
    D: StoredDefinition,
    Entry<D>: Executable<Command = EntryCommand<D>, Error = EntryError<D>> + Decide,
    EntryError<D>: Refusal,
{
    let (context, command) = (intent.context(caller), EntryCommand::Revise { definition });
    let receipt = state.commands.execute_at::<Entry<D>>(&context, id, command, expected.0).await?;
    Ok((after_write(state, caller, id, receipt).await?, Some(receipt)))
}

/// Ends the use of an entry.
async fn retire<D>(
    state: &State,
    caller: &Caller,
    (intent, expected): (&Intent, IfMatch),
    id: Uuid,
) -> Result<Changed<Success>, Problem>
where
    D: StoredDefinition,
    Entry<D>: Executable<Command = EntryCommand<D>, Error = EntryError<D>> + Decide,
    EntryError<D>: Refusal,
{
    let (context, command) = (intent.context(caller), EntryCommand::<D>::Retire {});
    let receipt = state.commands.execute_at::<Entry<D>>(&context, id, command, expected.0).await?;
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
async fn find<D: StoredDefinition>(state: &State, caller: &Caller, id: Uuid) -> Result<EntryRow<D>, Problem> {
    let found = read::get(&state.reader, caller.organization.0, id).await?;
    found.ok_or_else(|| Problem::not_found(D::NOUN))
}

/// Lists entries of a kind.
async fn list<D: StoredDefinition>(
    state: &State,
    caller: &Caller,
    retired: Query<Option<bool>>,
    paging: Paging,
) -> Result<Page<EntryRow<D>>, Problem> {
    Ok(read::list(&state.reader, caller.organization.0, retired.0.unwrap_or(false), paging).await?)
}
