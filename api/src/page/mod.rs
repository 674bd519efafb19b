//! Serves the built-in page: one document, two scripts and one style sheet, all embedded in the binary.

use poem::Endpoint;
use poem::endpoint::EmbeddedFilesEndpoint;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "src/page/files"]
struct Files;

/// Returns the endpoint of the page and its files.
pub fn endpoint() -> impl Endpoint {
    EmbeddedFilesEndpoint::<Files>::new()
}
