//! Exports devices as a file that can be imported.

use std::io;

use futures_util::{Stream, StreamExt, stream};
use poem::http::{StatusCode, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Enum};
use projections::device_directory::DeviceRow;
use projections::device_directory::read::{self, DeviceFilter, Sort};
use projections::{PageCursor, Paging, Reader};
use serde_json::json;

use super::csv_columns;
use crate::auth::Standing;
use crate::prelude::*;

/// Devices per database query.
const PART: i64 = 1_000;

/// The media types.
const CSV: &str = "text/csv; charset=utf-8";
const LINES: &str = "application/x-ndjson";

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The file format.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "DeviceFileFormat", rename_all = "lowercase")]
enum Format {
    /// CSV with a header line.
    Csv,
    /// One JSON object per line.
    Jsonl,
}

/// The file, streamed while it is read from the database.
pub struct ExportResponse(Response);

impl IntoResponse for ExportResponse {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for ExportResponse {
    fn meta() -> MetaResponses {
        let of = |content_type| MetaMediaType { content_type, schema: String::schema_ref() };
        let file = MetaResponse {
            description: "The file.",
            status: Some(StatusCode::OK.as_u16()),
            status_range: None,
            content: vec![of("text/csv"), of(LINES)],
            headers: vec![],
        };
        MetaResponses { responses: vec![file] }
    }

    fn register(registry: &mut Registry) {
        <String as Type>::register(registry);
    }
}

#[OpenApi]
impl Api {
    /// Export devices
    ///
    /// The columns of `POST /devices/import`, plus `id` and `status`, ordered by serial number. Certificates are not
    /// included.
    #[oai(path = "/devices/export", method = "get", tag = "Tag::Devices", operation_id = "exportDevices")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        standing: Standing,
        /// Defaults to `csv`.
        format: Query<Option<Format>>,
        /// Include decommissioned devices.
        decommissioned: Query<Option<bool>>,
    ) -> Result<ExportResponse, Problem> {
        let organization = caller.organization.0;
        let all = decommissioned.0.unwrap_or(false);
        let filter = DeviceFilter { status: (!all).then(|| "active".to_owned()), ..DeviceFilter::default() };
        // Read before the stream starts, so that a failure can still be answered with a problem.
        let attributes = read::attribute_names(&state.reader, organization, filter.status.as_deref()).await?;
        let rows = standing.guard(rows(state.reader.clone(), organization, filter));
        Ok(match format.0.unwrap_or(Format::Csv) {
            Format::Jsonl => file(LINES, "devices.jsonl", rows.map(|rows| Ok(rows?.iter().map(line).collect()))),
            Format::Csv => {
                let columns = columns(&attributes);
                let head = stream::iter([record(&columns)]);
                let rows = rows.map(move |rows| rows?.iter().map(|row| record(&cells(row, &attributes))).collect());
                file(CSV, "devices.csv", head.chain(rows))
            }
        })
    }
}

fn file(kind: &str, name: &str, parts: impl Stream<Item = io::Result<String>> + Send + 'static) -> ExportResponse {
    let response = Response::builder()
        .content_type(kind)
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
        .body(Body::from_bytes_stream(parts));
    ExportResponse(response)
}

/// Where the next page starts: `Some(None)` at the beginning, `Some(place)` after a place, `None` nowhere.
type Next = Option<Option<PageCursor>>;

fn rows(
    reader: Reader,
    organization: Uuid,
    filter: DeviceFilter,
) -> impl Stream<Item = io::Result<Vec<DeviceRow>>> + Send + 'static {
    let next: Next = Some(None);
    stream::unfold((reader, filter, next), move |(reader, filter, next)| async move {
        let paging = Paging { after: next?, ..Paging::first(PART) };
        let order = (Sort::SerialNumber, false);
        match read::sorted(&reader, organization, &filter, order, paging).await {
            Ok(page) => {
                let rows = page.items.into_iter().map(|device| device.row).collect();
                Some((Ok(rows), (reader, filter, page.next.map(Some))))
            }
            Err(error) => {
                tracing::error!(%error, "a device export was aborted");
                Some((Err(io::Error::other(error)), (reader, filter, None)))
            }
        }
    })
}

fn line(row: &DeviceRow) -> String {
    let line = json!({
        "id": row.id,
        "status": row.status,
        "serialNumber": row.serial_number,
        "name": row.name,
        "deviceTypeId": row.device_type_id,
        "description": row.description,
        "customAttributes": row.custom_attributes,
    });
    format!("{line}\n")
}

fn columns(attributes: &[String]) -> Vec<String> {
    let fixed = ["id", "status", "serialNumber", "name", "deviceTypeId", "description"].map(str::to_owned);
    let attributes = attributes.iter().map(|name| csv_columns::column(name));
    fixed.into_iter().chain(attributes).collect()
}

fn cells(row: &DeviceRow, attributes: &[String]) -> Vec<String> {
    let description = row.description.clone().unwrap_or_default();
    let fixed = [
        row.id.to_string(),
        row.status.clone(),
        row.serial_number.clone(),
        row.name.clone(),
        row.device_type_id.to_string(),
        description,
    ];
    let attribute = |name: &String| row.custom_attributes.get(name).map(csv_columns::cell).unwrap_or_default();
    fixed.into_iter().chain(attributes.iter().map(attribute)).collect()
}

fn record(cells: &[String]) -> io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).map_err(io::Error::other)?;
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    String::from_utf8(bytes).map_err(io::Error::other)
}
