//! All endpoints below `/api/v1`: one folder per resource, one file per operation. The live feed is in `crate::feed`.

mod activities;
mod activity_templates;
mod alarms;
mod allowed_methods;
mod api_keys;
pub mod as_of;
mod asset_types;
mod assets;
mod attributes;
mod audit;
mod auth;
mod bundle_archive;
mod catalogue;
mod certificates;
mod dead_letters;
mod device_types;
mod devices;
pub mod enrollment;
mod ensure_unused;
mod events;
mod history;
mod links;
mod merged_paths;
mod notifications;
mod openapi_document;
mod organizations;
pub mod paging;
pub mod pki;
pub mod read_your_writes;
mod rules;
pub mod tags;
mod telemetry;
mod time_window;
mod users;

use poem::{Endpoint, EndpointExt, Route};
use poem_openapi::{ExtraHeader, LicenseObject, OpenApiService};

pub use self::allowed_methods::allowed_methods;
use self::merged_paths::MergedPaths;
use crate::circuit_breaker::Breaker;
use crate::etag::NotModified;
use crate::min_position::MinPosition;
use crate::rate_limits::Limited;

/// All endpoints: users and types, then devices and assets, then rules, alarms and logs. Nested, because poem
/// implements its traits only for short tuples.
type Api = (
    (auth::Api, organizations::Api, users::Api, api_keys::Api, device_types::Api, asset_types::Api),
    catalogue::Api,
    (devices::Api, certificates::Api, enrollment::Api),
    (assets::Api, links::Api, telemetry::Api),
    (rules::Api, activity_templates::Api, activities::Api, alarms::Api, events::Api, dead_letters::Api, audit::Api),
    notifications::Api,
    history::Endpoints,
);

/// Returns everything below `/api`: version 1 behind the circuit breaker, its OpenAPI document and the Swagger UI.
pub fn endpoint(breaker: Breaker) -> impl Endpoint {
    let service = service();
    let spec = openapi_document::closed(&service.spec()).to_string();
    let page = service.swagger_ui_html();
    Route::new()
        .nest("/v1", service.with(NotModified).with(MinPosition).with(breaker).with(Limited))
        .at("/openapi.json", openapi_document::json(spec))
        .at("/docs", openapi_document::page(page))
        .at("/docs/", openapi_document::page_again())
}

/// Returns the OpenAPI document, indented, as `api/openapi.json` holds it.
pub fn openapi() -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(&openapi_document::closed(&service().spec()))? + "\n")
}

fn service() -> OpenApiService<MergedPaths<Api>, ()> {
    OpenApiService::new(MergedPaths::<Api>::default(), "Argusiq", "1.0")
        .description(openapi_document::DESCRIPTION)
        .license(LicenseObject::new("Apache-2.0"))
        .server("/api/v1")
        .extra_request_header::<Option<String>, _>(
            ExtraHeader::new("X-Request-Id")
                .description("Correlates the request with the events that it causes; generated if absent."),
        )
        .extra_request_header::<Option<uuid::Uuid>, _>(
            ExtraHeader::new("X-Organization")
                .description("The organisation to act in, for platform administrators; the caller's own if absent."),
        )
}
