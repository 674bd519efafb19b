//! Which methods a path knows, out of the document itself: what an answer to any other method has to say (RFC 9110,
//! 15.5.6).

use std::sync::OnceLock;

use poem::http::HeaderValue;
use poem_openapi::OpenApi;

use super::{Api, MergedPaths};

/// Where the API is.
const ROOT: &str = "/api/v1";

/// The parts of a path as it is registered, and its methods.
type Known = (Vec<String>, Vec<String>);

/// Returns the methods of a path; those of a page where it is none of the API's.
pub fn allowed_methods(path: &str) -> HeaderValue {
    static TABLE: OnceLock<Vec<Known>> = OnceLock::new();
    let table = TABLE.get_or_init(table);
    let asked: Vec<&str> = path.strip_prefix(ROOT).unwrap_or_default().split('/').collect();
    let fitting = table.iter().filter(|(parts, _)| fits(parts, &asked));
    // Of `/letters/redrive` and `/letters/:id`, the first one is meant.
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
    fn a_path_knows_its_methods() {
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
