//! Fuzzes the API with valid and invalid requests generated from its OpenAPI document: no request may cause a server
//! error or a response that the document does not describe.

use crate::clients;
use crate::platform::Platform;

/// Examples per operation, unless `ARGUSIQ_FUZZ_EXAMPLES` is set.
const EXAMPLES: &str = "5";

/// Excluded operations: they would end the session that the test uses.
const EXCLUDED_PATHS: &str = "/auth/(password|logout)";

/// Excluded check: some requests that match the schema are rejected for reasons that a schema cannot express (a parent
/// that does not exist, a blank name, rules over several fields).
const EXCLUDED_CHECKS: &str = "positive_data_acceptance";

#[tokio::test(flavor = "multi_thread")]
async fn no_request_causes_a_server_error_or_an_undocumented_response() {
    let unlimited = [
        ("ARGUSIQ_LIMITS__REQUESTS_PER_MINUTE", "0"),
        ("ARGUSIQ_LIMITS__REQUESTS_PER_MINUTE_PER_ADDRESS", "0"),
        ("ARGUSIQ_LIMITS__FAILED_SIGN_INS_PER_EMAIL", "0"),
        ("ARGUSIQ_LIMITS__FAILED_SIGN_INS_PER_ADDRESS", "0"),
    ];
    let platform = Platform::separate_roles_with(&unlimited).await;
    tokio::task::block_in_place(|| {
        let api = platform.admin();
        let document = format!("{}/api/openapi.json", platform.url());
        let examples = std::env::var("ARGUSIQ_FUZZ_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
        let (examples, excluded) = (["--max-examples", &examples], ["--exclude-path-regex", EXCLUDED_PATHS]);
        let rest = ["--exclude-checks", EXCLUDED_CHECKS, "--seed", "1", "--workers", "1"];
        let arguments = [&examples[..], &excluded[..], &rest[..]].concat();
        let outcome = clients::schemathesis(&document, &api.token, &api.organization, &arguments);
        if let Err(report) = outcome {
            panic!("{report}");
        }
    });
}
