//! Streams the results of an import: as JSON lines, or as a ZIP archive with bundles.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use domain::ids::OrganizationId;
use futures_util::{Stream, StreamExt, stream};
use poem::http::{StatusCode, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use zip::ZipWriter;
use zip::result::ZipResult;
use zip::write::StreamWriter;

use super::register_rows::Outcome;
use crate::auth::Standing;
use crate::config::DeviceUrls;
use crate::prelude::*;
use crate::routes::bundle_archive::{Contents, entries, public};

/// The media types of the response.
const LINES: &str = "application/x-ndjson";
const ARCHIVE: &str = "application/zip";

/// The response, streamed while the rows are processed.
pub struct ImportResponse(Response);

impl IntoResponse for ImportResponse {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for ImportResponse {
    fn meta() -> MetaResponses {
        let of = |content_type| MetaMediaType { content_type, schema: String::schema_ref() };
        let done = MetaResponse {
            description: "One result per row.",
            status: Some(StatusCode::OK.as_u16()),
            status_range: None,
            content: vec![of(LINES), of(ARCHIVE)],
            headers: vec![],
        };
        MetaResponses { responses: vec![done] }
    }

    fn register(registry: &mut Registry) {
        <String as Type>::register(registry);
    }
}

/// Streams one JSON line per row.
pub fn lines(standing: Standing, outcomes: impl Stream<Item = Outcome> + Send + 'static) -> ImportResponse {
    let lines = outcomes.map(|outcome| Ok::<_, io::Error>(format!("{}\n", outcome.line)));
    ImportResponse(sent(LINES).body(Body::from_bytes_stream(standing.guard(lines))))
}

/// Streams an archive of bundles, with the JSON lines as its last file.
pub fn archive(
    state: &State,
    organization: OrganizationId,
    standing: Standing,
    outcomes: impl Stream<Item = Outcome> + Send + 'static,
) -> ImportResponse {
    let packer = Packer::new(organization, state.root_certificate_pem.clone(), state.device_urls.clone());
    let parts = standing.guard(stream::unfold((Box::pin(outcomes), Some(packer)), next_part));
    let name = "attachment; filename=\"devices.zip\"";
    ImportResponse(sent(ARCHIVE).header(header::CONTENT_DISPOSITION, name).body(Body::from_bytes_stream(parts)))
}

fn sent(content_type: &str) -> poem::ResponseBuilder {
    Response::builder().content_type(content_type).header(header::CACHE_CONTROL, "no-store")
}

type Rest<S> = (Pin<Box<S>>, Option<Packer>);

/// Packs the next result; after the last one, the end of the archive.
async fn next_part<S: Stream<Item = Outcome>>(
    (mut outcomes, packer): Rest<S>,
) -> Option<(io::Result<Vec<u8>>, Rest<S>)> {
    let mut packer = packer?;
    let (part, packer) = match outcomes.next().await {
        Some(outcome) => (packer.add(outcome), Some(packer)),
        None => (packer.finish(), None),
    };
    Some((part.map_err(io::Error::other), (outcomes, packer)))
}

/// Bytes that are packed but not sent yet.
#[derive(Clone, Default)]
struct Packed(Arc<Mutex<Vec<u8>>>);

impl Packed {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the archive incrementally.
struct Packer {
    organization: OrganizationId,
    root_certificate_pem: String,
    device_urls: DeviceUrls,
    archive: ZipWriter<StreamWriter<Packed>>,
    packed: Packed,
    lines: String,
}

impl Packer {
    fn new(organization: OrganizationId, root_certificate_pem: String, device_urls: DeviceUrls) -> Self {
        let packed = Packed::default();
        let archive = ZipWriter::new_stream(packed.clone());
        Self { organization, root_certificate_pem, device_urls, archive, packed, lines: String::new() }
    }

    /// Folders are named by device id, so that no user input gets into a path.
    fn add(&mut self, outcome: Outcome) -> ZipResult<Vec<u8>> {
        self.lines += &format!("{}\n", outcome.line);
        if let Some((device, certificate)) = outcome.bundle
            && let Some(private_key_pem) = certificate.private_key_pem
        {
            let bundle = Contents {
                organization: self.organization,
                device,
                chain_pem: &certificate.chain_pem,
                private_key_pem: private_key_pem.expose(),
            };
            for (name, options, content) in entries(&bundle, &self.root_certificate_pem, &self.device_urls) {
                self.archive.start_file(format!("{device}/{name}"), options)?;
                self.archive.write_all(content.as_bytes())?;
            }
        }
        Ok(self.packed.take())
    }

    fn finish(mut self) -> ZipResult<Vec<u8>> {
        self.archive.start_file("results.ndjson", public())?;
        self.archive.write_all(self.lines.as_bytes())?;
        self.archive.finish()?;
        Ok(self.packed.take())
    }
}
