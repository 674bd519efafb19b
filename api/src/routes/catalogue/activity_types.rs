//! Kinds of activities.

use domain::catalogue::activity_type::ActivityTypeDefinition;
use projections::catalogue::EntryRow;
use projections::dependents::Referenced;

use super::{CatalogueEntry, define, find, list, retire, revise};
use crate::etag::Versioned;
use crate::prelude::*;
use crate::routes::ensure_unused::ensure_unused;

/// The endpoints.
#[derive(Default)]
pub struct Api;

/// What an activity type says.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct ActivityTypeRequest {
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    #[oai(nullable)]
    icon: Option<String>,
}

/// A kind of activity.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct ActivityType {
    #[oai(flatten)]
    entry: CatalogueEntry,
    name: String,
    description: Option<String>,
    icon: Option<String>,
}

/// One of them.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct ActivityTypeResponse {
    activity_type: ActivityType,
}

impl Versioned for ActivityTypeResponse {
    fn version(&self) -> i64 {
        self.activity_type.entry.version
    }
}

impl From<ActivityTypeRequest> for ActivityTypeDefinition {
    fn from(ActivityTypeRequest { name, description, icon }: ActivityTypeRequest) -> Self {
        Self { name, description, icon }
    }
}

impl From<EntryRow<ActivityTypeDefinition>> for ActivityType {
    fn from(row: EntryRow<ActivityTypeDefinition>) -> Self {
        let (entry, ActivityTypeDefinition { name, description, icon }) = (CatalogueEntry::from(&row), row.definition);
        Self { entry, name, description, icon }
    }
}

impl From<EntryRow<ActivityTypeDefinition>> for ActivityTypeResponse {
    fn from(row: EntryRow<ActivityTypeDefinition>) -> Self {
        Self { activity_type: row.into() }
    }
}

/// Some of them.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct ActivityTypes {
    activity_types: Vec<ActivityType>,
    total: i64,
    /// The `cursor` of the next part; absent at the end.
    #[oai(rename = "nextCursor", skip_serializing_if_is_none)]
    next_cursor: Option<String>,
}

#[OpenApi]
impl Api {
    /// Define an activity type
    #[oai(path = "/activity-types", method = "post", tag = "Tag::ActivityTypes", operation_id = "createActivityType")]
    async fn create(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTemplates>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<ActivityTypeRequest>,
    ) -> Result<Created<ActivityTypeResponse>, Problem> {
        let (row, receipt) = define(&state, &caller, &intent, ActivityTypeDefinition::from(body.0)).await?;
        Ok(Created(ActivityTypeResponse::from(row), receipt))
    }

    /// Show an activity type
    #[oai(path = "/activity-types/:id", method = "get", tag = "Tag::ActivityTypes", operation_id = "getActivityType")]
    async fn get(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Fetched<ActivityTypeResponse>, Problem> {
        Ok(Fetched(find::<ActivityTypeDefinition>(&state, &caller, id.0).await?.into()))
    }

    /// List activity types
    #[oai(path = "/activity-types", method = "get", tag = "Tag::ActivityTypes", operation_id = "listActivityTypes")]
    async fn list(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        /// Retired ones too.
        retired: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<ActivityTypes>, Problem> {
        let page = list::<ActivityTypeDefinition>(&state, &caller, retired, paging(limit, offset, &cursor)?).await?;
        let page = page.map(ActivityType::from);
        Ok(Json(ActivityTypes { activity_types: page.items, total: page.total, next_cursor: next_cursor(page.next) }))
    }

    /// Revise an activity type
    ///
    /// Takes the whole of it; what is left out is gone.
    #[oai(
        path = "/activity-types/:id",
        method = "put",
        tag = "Tag::ActivityTypes",
        operation_id = "updateActivityType"
    )]
    async fn update(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTemplates>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<ActivityTypeRequest>,
    ) -> Result<Revised<ActivityTypeResponse>, Problem> {
        let (row, receipt) =
            revise(&state, &caller, (&intent, expected), id.0, ActivityTypeDefinition::from(body.0)).await?;
        Ok(Revised(row.into(), receipt))
    }

    /// Retire an activity type
    ///
    /// One that a template names is refused; the problem says which.
    #[oai(
        path = "/activity-types/:id",
        method = "delete",
        tag = "Tag::ActivityTypes",
        operation_id = "retireActivityType"
    )]
    async fn retire(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTemplates>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Changed<Success>, Problem> {
        ensure_unused(&state, &caller, Referenced::ActivityType, id.0).await?;
        retire::<ActivityTypeDefinition>(&state, &caller, (&intent, expected), id.0).await
    }
}
