//! Audit seals on the command line: sealing the log, verifying it, and rejecting a changed seal. The ways of tampering
//! with the log are tested in `eventlog/tests/log/audit.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::fixtures;
use crate::platform::Platform;
use crate::wait::wait_until;

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_log_verifies_after_later_changes_and_an_altered_seal_is_refused() {
    let mut platform = Platform::servers_only().await;
    let daily = platform.folder.path().join("daily");
    platform.start_as("api", &["api"], &[("ARGUSIQ_AUDIT__SEAL_FOLDER", daily.to_str().unwrap())]);
    platform.start("project");
    tokio::task::block_in_place(|| {
        platform.wait_until_ready();
        let api = platform.admin();
        let device = fixtures::device(&api, platform.folder.path(), "SEALED");
        let of_today = wait_until("the day's seal", Duration::from_secs(20), || {
            let names = fs::read_dir(&daily).into_iter().flatten().map(|entry| entry.unwrap().path());
            names.into_iter().find(|path| path.extension().is_some_and(|kind| kind == "seal")).ok_or("none yet")
        });
        let verified = platform.run(&["audit", "verify", "--seal", of_today.to_str().unwrap()]);
        assert!(verified.contains(" matches the log"), "{verified}");
        let metrics = api.text("/metrics");
        assert!(metrics.contains("argusiq_audit_sealed_timestamp_seconds 1"), "{metrics}");
        let seals = platform.folder.path().join("seals");
        let sealed = platform.run(&["audit", "seal", "--out", seals.to_str().unwrap()]);
        let seal = PathBuf::from(sealed.lines().last().unwrap().strip_prefix("written to ").expect("a path"));
        assert!(sealed.starts_with("argusiq seal 1\ninstallation "), "{sealed}");
        openssl_verifies(&platform.folder.path().join("pki/root.crt"), &seal);

        api.put(&format!("/api/v1/devices/{}", device.id), json!({"name": "Renamed"}));
        let verify = ["audit", "verify", "--seal", seal.to_str().unwrap()];
        let verified = platform.run(&verify);
        assert!(verified.contains(" 0 broken chains") && verified.contains(" matches the log"), "{verified}");

        let lines = fs::read_to_string(&seal).unwrap();
        fs::write(&seal, lines.replace("position ES_ALARM 0", "position ES_ALARM 1")).unwrap();
        let refused = platform.run_refused(&verify, &[]);
        assert!(refused.ends_with("is not signed by this installation's root authority, or was changed"), "{refused}");
    });
}

/// Verifies the seal's signature with openssl, as an auditor without our tools would.
fn openssl_verifies(root: &Path, seal: &Path) {
    let key = seal.with_extension("key");
    let run = |command: &mut Command| {
        let output = command.output().expect("openssl starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let public = run(Command::new("openssl").args(["x509", "-pubkey", "-noout", "-in"]).arg(root));
    fs::write(&key, public).unwrap();
    let mut verify = Command::new("openssl");
    verify.args(["dgst", "-sha256", "-verify"]).arg(&key).arg("-signature").arg(seal.with_extension("sig")).arg(seal);
    run(&mut verify);
}
