//! Looks up which methods a path supports, for the `Allow` header of a 405 response (RFC 9110, 15.5.6). The table is
//! derived from the OpenAPI document.

use std::sync::OnceLock;

use poem::http::HeaderValue;
use poem_openapi::OpenApi;

use super::{Api, MergedPaths};

/// The path prefix of the API.
const ROOT: &str = "/api/v1";

/// The segments of a registered path, and its methods.
type Known = (Vec<String>, Vec<String>);

/// Returns the methods that a path supports; `GET` for paths outside the API, such as the built-in page.
pub fn allowed_methods(path: &str) -> HeaderValue {
    static TABLE: OnceLock<Vec<Known>> = OnceLock::new();
    let table = TABLE.get_or_init(table);
    let asked: Vec<&str> = path.strip_prefix(ROOT).unwrap_or_default().split('/').collect();
    let fitting = table.iter().filter(|(parts, _)| fits(parts, &asked));
    // A literal segment wins over a parameter: `/letters/redrive` is not `/letters/:id`.
    let parameters = |(parts, _): &&Known| parts.iter().filter(|part| is_parameter(part)).count();
    let methods = fitting.min_by_key(parameters).map(|(_, methods)| methods.join(", ")).unwrap_or_default();
    HeaderValue::try_from(methods)
        .ok()
        .filter(|methods| !methods.is_empty())
        .unwrap_or_else(|| HeaderValue::from_static("GET"))
}

fn table() -> Vec<Known> {
    let paths = MergedPaths::<Api>::meta().into_iter().flat_map(|api| api.paths);
    let known = |path: poem_openapi::registry::MetaPath| {
        let parts = path.path.split('/').map(str::to_owned).collect();
        (parts, path.operations.iter().map(|operation| operation.method.to_string()).collect())
    };
    paths.map(known).collect()
}

fn fits(parts: &[String], asked: &[&str]) -> bool {
    let fits = |(part, asked): (&String, &&str)| part == asked || is_parameter(part);
    parts.len() == asked.len() && parts.iter().zip(asked).all(fits)
}

fn is_parameter(part: &str) -> bool {
    part.starts_with([':', '{'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_supports_its_registered_methods() {
        let id = uuid::Uuid::nil();
        assert_eq!(allowed_methods("/api/v1/audit"), "GET");
        let mut of_one: Vec<String> =
            allowed_methods(&format!("/api/v1/rules/{id}")).to_str().unwrap().split(", ").map(str::to_owned).collect();
        of_one.sort_unstable();
        assert_eq!(of_one, ["DELETE", "GET", "PUT"]);
        assert_eq!(allowed_methods(&format!("/api/v1/rules/{id}/history")), "GET");
        assert_eq!(allowed_methods("/api/v1/dead-letters/redrive"), "POST");
        assert_eq!(allowed_methods("/health"), "GET");
    }
}
