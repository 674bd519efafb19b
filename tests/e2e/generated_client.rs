//! A TypeScript client generated from the OpenAPI document compiles in strict mode and works with a running platform.

use serde_json::json;

use crate::clients;
use crate::platform::{EMAIL, PASSWORD, Platform};

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_typescript_client_compiles_and_works() {
    let mut platform = Platform::servers_only().await;
    platform.start("api");
    platform.start("project");
    tokio::task::block_in_place(|| {
        platform.wait_until_ready();
        let lines = clients::typescript(&platform.url(), EMAIL, PASSWORD);
        assert_eq!(lines[0], json!({"total": 1, "names": ["Boiler TS-1 true"]}));
        assert_eq!(lines[1], json!({"status": 404, "type": "urn:argusiq:problem:not-found"}));
    });
}
