//! The OpenAPI document, the Swagger UI, the probes and the built-in page.

use serde_json::Value;

use crate::support::{Text, platform};

#[test]
fn the_document_defines_every_schema_it_refers_to() {
    let document = platform().anonymous().get("/api/openapi.json").ok();
    assert!(document["openapi"].text().starts_with("3.0"));
    assert_eq!(document["servers"][0]["url"], "/api/v1");
    let mut references = vec![];
    collect_references(&document.json, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.json.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn the_document_equals_the_reviewed_file() {
    let served = platform().anonymous().get("/api/openapi.json").ok();
    let reviewed: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    assert!(served.json == reviewed, "the API changed: run `argusiq openapi > api/openapi.json` and review the diff");
}

/// Operations without an access token.
const SESSIONS: [&str; 3] = ["/auth/login", "/auth/refresh", "/auth/logout"];

/// POST operations that change nothing.
const DRY_RUNS: [&str; 1] = ["/protocol-converters/{id}/test"];

#[test]
fn each_operation_has_a_unique_id_documents_its_errors_and_its_authentication() {
    let document = platform().anonymous().get("/api/openapi.json").ok();
    let mut names = std::collections::BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(names.insert(operation["operationId"].text()), "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(
                operation["responses"]["default"]["content"]["application/problem+json"].is_object(),
                "{method} {path}"
            );
            let public = crate::access::PUBLIC.iter().any(|(_, known)| known == path);
            assert_eq!(operation["security"].is_array(), !public, "{method} {path}");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let takes_key = parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key");
            let is_write = method != "get" && !SESSIONS.contains(&path.as_str()) && !DRY_RUNS.contains(&path.as_str());
            assert_eq!(takes_key, is_write, "{method} {path}");
        }
    }
}

#[test]
fn the_swagger_ui_loads_nothing_from_other_hosts() {
    let page = platform().anonymous().get("/api/docs").ok();
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.text.contains("/devices/{id}/certificate/revoke"));
    assert!(
        !page.text.contains(" src=\"http") && !page.text.contains("<link"),
        "the page loads files from other hosts"
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'self'") && !policy.contains("http"), "{policy}");
}

#[test]
fn probes_answer_without_a_token() {
    let anonymous = platform().anonymous();
    assert_eq!(anonymous.get("/health").ok()["status"], "ok");
    let ready = anonymous.get("/ready").ok();
    assert_eq!(ready["status"], "ready");
    for server in ["nats", "postgres", "redis"] {
        assert_eq!(ready["checks"][server], "ok", "{server}");
    }
    assert!(anonymous.get("/metrics").ok().text.contains("argusiq_up 1"));
}

#[test]
fn the_built_in_page_is_served_and_names_no_other_host() {
    let anonymous = platform().anonymous();
    let page = anonymous.get("/").ok();
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    for file in ["session.js", "app.js", "style.css"] {
        assert!(page.text.contains(file), "{file}");
        let answer = anonymous.get(&format!("/{file}")).ok();
        assert!(!answer.text.contains("http://") && !answer.text.contains("https://"), "{file}");
    }
    assert!(!page.text.contains("http"), "{}", page.text);
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'self'"));
    // A browser that loads the page again gets 304.
    let tag = page.header("etag").expect("an ETag");
    anonymous.send("GET", "/", None, &[("If-None-Match", tag)]).status(304);
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}
