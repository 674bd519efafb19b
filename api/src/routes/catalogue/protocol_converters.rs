//! How payloads become metrics.

use domain::catalogue::protocol_converter::ConverterDefinition;
use projections::catalogue::EntryRow;
use projections::dependents::Referenced;

use super::converter_view::{ConverterRequest, ProtocolConverter};
use super::{define, find, list, retire, revise};
use crate::etag::Versioned;
use crate::prelude::*;
use crate::routes::ensure_unused::ensure_unused;

/// The endpoints.
#[derive(Default)]
pub struct Api;

/// One of them.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct ProtocolConverterResponse {
    protocol_converter: ProtocolConverter,
}

impl Versioned for ProtocolConverterResponse {
    fn version(&self) -> i64 {
        self.protocol_converter.entry.version
    }
}

impl From<EntryRow<ConverterDefinition>> for ProtocolConverterResponse {
    fn from(row: EntryRow<ConverterDefinition>) -> Self {
        Self { protocol_converter: row.into() }
    }
}

/// Some of them.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct ProtocolConverters {
    protocol_converters: Vec<ProtocolConverter>,
    total: i64,
    /// The `cursor` of the next part; absent at the end.
    #[oai(rename = "nextCursor", skip_serializing_if_is_none)]
    next_cursor: Option<String>,
}

#[OpenApi]
impl Api {
    /// Define a protocol converter
    #[oai(
        path = "/protocol-converters",
        method = "post",
        tag = "Tag::ProtocolConverters",
        operation_id = "createProtocolConverter"
    )]
    async fn create(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<ConverterRequest>,
    ) -> Result<Created<ProtocolConverterResponse>, Problem> {
        body.0.check()?;
        let (row, receipt) = define(&state, &caller, &intent, ConverterDefinition::from(body.0)).await?;
        Ok(Created(ProtocolConverterResponse::from(row), receipt))
    }

    /// Show a protocol converter
    #[oai(
        path = "/protocol-converters/:id",
        method = "get",
        tag = "Tag::ProtocolConverters",
        operation_id = "getProtocolConverter"
    )]
    async fn get(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
    ) -> Result<Fetched<ProtocolConverterResponse>, Problem> {
        Ok(Fetched(find::<ConverterDefinition>(&state, &caller, id.0).await?.into()))
    }

    /// List protocol converters
    #[oai(
        path = "/protocol-converters",
        method = "get",
        tag = "Tag::ProtocolConverters",
        operation_id = "listProtocolConverters"
    )]
    async fn list(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        /// Retired ones too.
        retired: Query<Option<bool>>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<ProtocolConverters>, Problem> {
        let page = list::<ConverterDefinition>(&state, &caller, retired, paging(limit, offset, &cursor)?).await?;
        let page = page.map(ProtocolConverter::from);
        Ok(Json(ProtocolConverters {
            protocol_converters: page.items,
            total: page.total,
            next_cursor: next_cursor(page.next),
        }))
    }

    /// Revise a protocol converter
    ///
    /// Takes the whole of it; what is left out is gone.
    #[oai(
        path = "/protocol-converters/:id",
        method = "put",
        tag = "Tag::ProtocolConverters",
        operation_id = "updateProtocolConverter"
    )]
    async fn update(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
        body: Body<ConverterRequest>,
    ) -> Result<Revised<ProtocolConverterResponse>, Problem> {
        body.0.check()?;
        let (row, receipt) =
            revise(&state, &caller, (&intent, expected), id.0, ConverterDefinition::from(body.0)).await?;
        Ok(Revised(row.into(), receipt))
    }

    /// Retire a protocol converter
    ///
    /// One that a device type uses is refused; the problem says which.
    #[oai(
        path = "/protocol-converters/:id",
        method = "delete",
        tag = "Tag::ProtocolConverters",
        operation_id = "retireProtocolConverter"
    )]
    async fn retire(
        &self,
        state: Data<&State>,
        caller: Allowed<access::WriteTypes>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        #[oai(name = "If-Match")] expected: IfMatch,
        id: Path<Uuid>,
    ) -> Result<Changed<Success>, Problem> {
        ensure_unused(&state, &caller, Referenced::ProtocolConverter, id.0).await?;
        retire::<ConverterDefinition>(&state, &caller, (&intent, expected), id.0).await
    }
}
