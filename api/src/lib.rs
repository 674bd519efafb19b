//! HTTP API, OpenAPI document, live feed and the built-in page.
