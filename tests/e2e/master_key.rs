//! Rotating an installation's master key: the new key decrypts all secrets, and the old one is refused.

use serde_json::json;

use crate::fixtures;
use crate::platform::Platform;

#[tokio::test(flavor = "multi_thread")]
async fn devices_can_be_registered_after_a_master_key_rotation() {
    let mut platform = Platform::servers_only().await;
    let key = platform.folder.path().join("pki/master.key");
    let old = std::fs::read_to_string(&key).unwrap();
    let output = platform.run(&["ca", "rotate-master-key"]);
    assert!(output.contains("re-encrypted secrets"), "{output}");
    let new = std::fs::read_to_string(&key).unwrap();
    assert_ne!(old, new);
    platform.run(&["ca", "rotate-master-key"]);
    ["api", "project"].iter().for_each(|role| platform.start(role));
    tokio::task::block_in_place(|| {
        platform.wait_until_ready();
        let api = platform.admin();
        let device = fixtures::device(&api, platform.folder.path(), "ROTATED");
        let renewed = api.post(&format!("/api/v1/devices/{}/certificate/renew", device.id), json!({}));
        assert!(renewed["certificate"]["privateKey"].is_string(), "{renewed}");
    });
    let refused = platform.run_refused(&["api"], &[("ARGUSIQ_MASTER_KEY", old.trim())]);
    assert!(refused.contains("master key"), "{refused}");
}
