//! The built-in page: one document, two scripts, one style, all inside the binary and nothing from elsewhere.

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
