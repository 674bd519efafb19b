//! The OpenAPI document and the interactive page, which carries its script and style inside. What does not live here:
//! what they describe.

use poem::endpoint::make_sync;
use poem::http::{StatusCode, header};
use poem::{Endpoint, Response};

/// What the document says first.
pub const DESCRIPTION: &str = "Devices, assets, telemetry, rules, alarms and work orders of one organisation: the \
caller's. Things of another organisation answer 404. Writes take an `Idempotency-Key` and say in `X-Log-Position` where \
in the log they stand; they answer when their effect is readable. A read with `?minPosition=` waits until that position is \
readable (503 after three seconds). What has a version shows it as `ETag`; a change with `If-Match` of an older one \
answers 412, a read with `If-None-Match` of the present one 304. Whatever goes wrong is `application/problem+json` \
(RFC 9457). Times are RFC 3339 in UTC.";

/// The page has its script inside, so scripts inside must be allowed; nothing may come from elsewhere.
const POLICY: &str = "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Returns the endpoint of the document.
pub fn json(spec: String) -> impl Endpoint {
    make_sync(move |_| Response::builder().content_type("application/json").body(spec.clone()))
}

/// Returns the endpoint of the interactive page.
pub fn page(html: String) -> impl Endpoint {
    make_sync(move |_| {
        Response::builder()
            .content_type("text/html; charset=utf-8")
            .header(header::CONTENT_SECURITY_POLICY, POLICY)
            .body(html.clone())
    })
}

/// Returns the endpoint that leads to the page.
pub fn page_again() -> impl Endpoint {
    make_sync(|_| Response::builder().status(StatusCode::FOUND).header(header::LOCATION, "/api/docs").finish())
}
