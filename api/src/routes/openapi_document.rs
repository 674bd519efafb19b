//! Serves the OpenAPI document and the Swagger UI, whose script and style are inlined.

use std::collections::BTreeSet;

use poem::endpoint::make_sync;
use poem::http::{StatusCode, header};
use poem::{Endpoint, Response};
use serde_json::Value;

use super::paging::MOST as MOST_ITEMS;
use super::time_window::MOST as MOST_POINTS;

/// The description at the top of the document.
pub const DESCRIPTION: &str = "Devices, assets, telemetry, rules, alarms and work orders of the caller's organisation. \
Resources of other organisations answer 404. Writes take an `Idempotency-Key`, which is bound to one request body \
(reusing it with another body is refused), answer when their effect is readable, and return their position in the log \
as `X-Log-Position`. A read with `?minPosition=` waits until that position is readable (503 after three seconds). \
Versioned resources return their version as `ETag`: a change with an outdated `If-Match` answers 412, a read with a \
current `If-None-Match` answers 304. Both take lists of tags and tags that a proxy has weakened (`W/\"7\"`). Lists are paged by `limit`; the `nextCursor` of one page is the `cursor` of the \
next. Resources read with `asOf=` are rebuilt from the events recorded until then. Errors are \
`application/problem+json` (RFC 9457). Times are RFC 3339, \
in the years 0001 to 9999 of UTC, kept to the microsecond and answered in UTC. Texts are Unicode without U+0000; they \
are stored as sent, except that white space around names, reasons and comments is removed.";

/// The page inlines its script, so inline scripts must be allowed; nothing may load from elsewhere.
const POLICY: &str = "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Returns the document with request bodies closed (`additionalProperties: false`), because unknown fields are refused.
pub fn closed(spec: &str) -> Value {
    let mut document: Value = serde_json::from_str(spec).unwrap_or_default();
    let operations = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let bodies = operations.flat_map(|path| path.as_object()).flat_map(|path| path.values());
    let mut open: Vec<String> = bodies.flat_map(|operation| references(&operation["requestBody"])).collect();
    // A schema used in `allOf` lists only its own fields; closing it would refuse the fields of the other parts.
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
    for operation in document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        operation.as_object_mut().into_iter().flat_map(|methods| methods.values_mut()).for_each(bound_paging);
    }
    document
}

/// Adds the bounds of `limit` and `offset`, which `paging` and `time_window` check.
fn bound_paging(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten();
    let parameters: Vec<_> = parameters.filter(|one| one["in"] == "query").collect();
    let most = if parameters.iter().any(|one| one["name"] == "startTime") { MOST_POINTS } else { MOST_ITEMS };
    for parameter in parameters {
        match parameter["name"].as_str() {
            Some("limit") => {
                parameter["schema"]["minimum"] = Value::from(1);
                parameter["schema"]["maximum"] = Value::from(most);
            }
            Some("offset") => parameter["schema"]["minimum"] = Value::from(0),
            _ => {}
        }
    }
}

/// Returns the names of the schemas that are part of an `allOf`.
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

/// Returns the names of the schemas that a part of the document refers to.
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

/// Returns the endpoint that serves the document.
pub fn json(spec: String) -> impl Endpoint {
    make_sync(move |_| Response::builder().content_type("application/json").body(spec.clone()))
}

/// Returns the endpoint that serves the Swagger UI.
pub fn page(html: String) -> impl Endpoint {
    make_sync(move |_| {
        Response::builder()
            .content_type("text/html; charset=utf-8")
            .header(header::CONTENT_SECURITY_POLICY, POLICY)
            .body(html.clone())
    })
}

/// Returns the endpoint that redirects to the Swagger UI.
pub fn page_again() -> impl Endpoint {
    make_sync(|_| Response::builder().status(StatusCode::FOUND).header(header::LOCATION, "/api/docs").finish())
}
