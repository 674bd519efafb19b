//! Start-up errors: each is one line that names the cause and the remedy.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::platform::{PASSWORD, free_port_base};

#[test]
fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let base = free_port_base();
    let _taken = TcpListener::bind(("127.0.0.1", base)).unwrap();
    let line = refusal(&["--port-base", &base.to_string(), "--data-dir", &folder.path().to_string_lossy(), "up"]);
    assert!(line.contains(&base.to_string()) && line.contains("in use"), "{line}");
}

#[test]
fn a_folder_that_cannot_be_created_is_named_with_the_option_to_change_it() {
    let line = refusal(&["--data-dir", "/proc/argusiq", "up"]);
    assert!(line.contains("/proc/argusiq") && line.contains("--data-dir"), "{line}");
}

#[test]
fn a_role_without_servers_names_every_missing_setting() {
    let folder = tempfile::tempdir().unwrap();
    let line = refusal(&["--data-dir", &folder.path().to_string_lossy(), "api"]);
    for setting in ["ARGUSIQ_NATS__URL", "ARGUSIQ_POSTGRES__URL", "ARGUSIQ_REDIS__URL", "argusiq up"] {
        assert!(line.contains(setting), "{setting} is not in {line}");
    }
}

#[test]
fn an_all_digit_password_and_a_master_key_in_the_environment_are_used_verbatim() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_argusiq"))
        .arg("--data-dir")
        .arg(folder.path())
        .args(["ca", "init"])
        .env("ARGUSIQ_ADMIN_PASSWORD", "0012345678")
        .env("ARGUSIQ_MASTER_KEY", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")
        .output()
        .expect("argusiq starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        !folder.path().join("pki/master.key").exists(),
        "a master key from the environment must not be written to disk"
    );
}

/// Runs argusiq, which must fail; returns its only error line.
fn refusal(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_argusiq"))
        .args(arguments)
        .env("ARGUSIQ_ADMIN_PASSWORD", PASSWORD)
        .env_remove("ARGUSIQ_NATS__URL")
        .output()
        .expect("argusiq starts");
    one_line(&output)
}

/// Asserts that a command failed with exactly one error line; returns the line.
pub fn one_line(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it succeeded: {stderr}");
    let lines: Vec<_> = stderr.lines().filter(|line| line.starts_with("argusiq: ")).collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    lines[0].to_owned()
}
