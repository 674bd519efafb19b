//! The OpenAPI document and the interactive page, which carries its script and style inside. What does not live here:
//! what they describe.

use std::collections::BTreeSet;

use poem::endpoint::make_sync;
use poem::http::{StatusCode, header};
use poem::{Endpoint, Response};
use serde_json::Value;

/// What the document says first.
pub const DESCRIPTION: &str = "Devices, assets, telemetry, rules, alarms and work orders of one organisation: the \
caller's. Things of another organisation answer 404. Writes take an `Idempotency-Key`, which stands for one body (with \
another one it is refused), and say in `X-Log-Position` where in the log they stand; they answer when their effect is \
readable. A read with `?minPosition=` waits until that position is readable (503 after three seconds). What has a version \
shows it as `ETag`; a change with `If-Match` of an older one answers 412, a read with `If-None-Match` of the present one \
304. Lists come in parts of `limit`; the `nextCursor` of one is the `cursor` of the next. Details with `asOf=` are folded \
from the events recorded until then. Whatever goes wrong is `application/problem+json` (RFC 9457). Times are RFC 3339 in \
UTC.";

/// The page has its script inside, so scripts inside must be allowed; nothing may come from elsewhere.
const POLICY: &str = "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Returns the document in which bodies of requests have no fields but those named: others are refused.
pub fn closed(spec: &str) -> Value {
    let mut document: Value = serde_json::from_str(spec).unwrap_or_default();
    let operations = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let bodies = operations.flat_map(|path| path.as_object()).flat_map(|path| path.values());
    let mut open: Vec<String> = bodies.flat_map(|operation| references(&operation["requestBody"])).collect();
    // A part of a whole knows only its own fields, and the whole has more.
    let mut closed: BTreeSet<String> = parts(&document).into_iter().collect();
    while let Some(name) = open.pop() {
        let schema = &mut document["components"]["schemas"][&name];
        if !closed.insert(name) {
            continue;
        }
        open.extend(references(schema));
        if schema["properties"].is_object() && schema.get("additionalProperties").is_none() {
            schema["additionalProperties"] = Value::Bool(false);
        }
    }
    document
}

/// The names of the schemas that others are made of (`allOf`).
fn parts(of: &Value) -> Vec<String> {
    match of {
        Value::Object(fields) => {
            let own = fields.get("allOf").map(references).unwrap_or_default();
            own.into_iter().chain(fields.values().flat_map(parts)).collect()
        }
        Value::Array(items) => items.iter().flat_map(parts).collect(),
        _ => Vec::new(),
    }
}

/// The names of the schemas that a part of the document refers to.
fn references(part: &Value) -> Vec<String> {
    match part {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next());
            own.map(str::to_owned).into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

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
