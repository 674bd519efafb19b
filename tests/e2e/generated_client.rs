//! A client that nobody wrote: generated from the API's document, compiled strictly, at work on the running platform.

use serde_json::json;

use crate::clients;
use crate::platform::{EMAIL, PASSWORD, Platform};

#[tokio::test(flavor = "multi_thread")]
async fn a_typescript_client_out_of_the_document_compiles_and_works() {
    let mut platform = Platform::servers_only().await;
    platform.start("api");
    platform.start("project");
    tokio::task::block_in_place(|| {
        platform.wait_until_ready();
        let said = clients::typescript(&platform.url(), EMAIL, PASSWORD);
        assert_eq!(said[0], json!({"total": 1, "names": ["Boiler TS-1 true"]}));
        assert_eq!(said[1], json!({"status": 404, "type": "urn:argusiq:problem:not-found"}));
    });
}
