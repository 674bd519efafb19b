//! Parses the rows of an import file (CSV or JSON lines), each independently.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use poem::http::header;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::super::csv_columns;
use crate::body::{parse, parse_text};
use crate::prelude::*;
use crate::problem::FieldError;

/// Maximum number of rows in a file.
const MOST: usize = 100_000;
/// Maximum time to receive a file.
const DEADLINE: Duration = Duration::from_secs(300);

/// One row of a file.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceRow {
    pub serial_number: String,
    #[oai(nullable)]
    pub name: Option<String>,
    #[oai(nullable)]
    pub device_type_id: Option<Uuid>,
    #[oai(nullable)]
    pub description: Option<String>,
    #[oai(nullable)]
    pub custom_attributes: Option<HashMap<String, Value>>,
    #[oai(nullable)]
    pub certificate_validity_days: Option<u32>,
    #[oai(nullable)]
    pub csr: Option<String>,
    #[oai(nullable)]
    id: Option<String>,
    #[oai(nullable)]
    status: Option<String>,
}

/// A row, or why it cannot be parsed.
pub type Row = Result<DeviceRow, Problem>;

/// The rows of a request.
pub struct Rows(pub Vec<Row>);

impl<'a> ApiExtractor<'a> for Rows {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <String as Type>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let of = |content_type| MetaMediaType { content_type, schema: String::schema_ref() };
        let content = vec![of("text/csv"), of("application/x-ndjson")];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let kind =
            request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let read = match kind.as_str() {
            "text/csv" => csv_rows,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => json_rows,
            _ => return Err(Problem::of(Kind::UnsupportedMediaType, "send text/csv or application/x-ndjson").into()),
        };
        let body = tokio::time::timeout(DEADLINE, body.take()?.into_bytes_limit(crate::body::MAX_FILE_BYTES)).await;
        let body = body.map_err(|_| Problem::of(Kind::BadRequest, "timed out reading the file"))?;
        let bytes = body.map_err(crate::body::unreadable)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Problem::of(Kind::BadRequest, "the file is not UTF-8"))?;
        // Spreadsheets write a byte order mark before the first column name.
        Ok(Self(counted(read(text.trim_start_matches('\u{feff}'))?)?))
    }
}

fn counted(rows: Vec<Row>) -> Result<Vec<Row>, Problem> {
    match rows.len() {
        0 => Err(Problem::of(Kind::InvalidFields, "the file has no rows")),
        1..=MOST => Ok(rows),
        more => Err(Problem::of(Kind::TooLarge, format_args!("at most {MOST} rows, not {more}"))),
    }
}

fn json_rows(text: &str) -> Result<Vec<Row>, Problem> {
    let rows = text.lines().filter(|line| !line.trim().is_empty());
    Ok(rows.map(|line| parse_text(line.as_bytes())).collect())
}

fn csv_rows(text: &str) -> Result<Vec<Row>, Problem> {
    let first = text.lines().next().unwrap_or_default();
    // Spreadsheets write semicolons in locales with a decimal comma.
    let separator = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|error| Problem::of(Kind::BadRequest, error))?.clone();
    check_headers(&headers)?;
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(|error| Problem::of(Kind::InvalidFields, unreadable(&error)))?;
        parse(Value::Object(csv_columns::object(headers.iter().map(str::trim).zip(record.iter()))))
    };
    Ok(reader.records().map(row).collect())
}

fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} cells, the header line {expected_len}")
        }
        _ => error.to_string(),
    }
}

/// Refuses unknown columns: a misspelt one would silently lose its values.
fn check_headers(headers: &csv::StringRecord) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    let wrong = headers.iter().map(str::trim).filter_map(|name| {
        let message = match (seen.insert(name), csv_columns::is_column(name)) {
            (false, _) => "appears twice",
            (true, false) => "is not a known column",
            (true, true) => return None,
        };
        Some(FieldError { field: name.to_owned(), message: message.to_owned() })
    });
    let mut errors: Vec<_> = wrong.collect();
    if !seen.contains("serialNumber") {
        let message = "the header line must contain it".to_owned();
        errors.push(FieldError { field: "serialNumber".to_owned(), message });
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
}
