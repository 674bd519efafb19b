//! The API against whatever its own document allows, and against what it does not: no failure of the platform, no answer
//! that the document does not describe.

use crate::clients;
use crate::platform::Platform;

/// How many examples each operation gets, where the environment does not say.
const EXAMPLES: &str = "5";

/// What is not asked: it would end the very session that asks.
const NOT_ASKED: &str = "/auth/(password|logout)";

/// Positive data are refused where a rule is about more than one field or about what exists (a parent that is none, a name
/// of blanks), which a schema cannot say.
const NOT_CHECKED: &str = "positive_data_acceptance";

#[tokio::test(flavor = "multi_thread")]
async fn no_request_makes_it_fail_or_answer_what_its_document_does_not_say() {
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
        let (examples, not_asked) = (["--max-examples", &examples], ["--exclude-path-regex", NOT_ASKED]);
        let rest = ["--exclude-checks", NOT_CHECKED, "--seed", "1", "--workers", "1"];
        let arguments = [&examples[..], &not_asked[..], &rest[..]].concat();
        let found = clients::schemathesis(&document, &api.token, &api.organization, &arguments);
        if let Err(said) = found {
            panic!("{said}");
        }
    });
}
