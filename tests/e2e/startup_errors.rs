//! What keeps the platform from starting is one clear line that says what to do.

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
fn a_folder_that_cannot_be_made_is_named_with_what_to_do() {
    let line = refusal(&["--data-dir", "/proc/argusiq", "up"]);
    assert!(line.contains("/proc/argusiq") && line.contains("--data-dir"), "{line}");
}

#[test]
fn a_role_without_servers_names_each_setting_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let line = refusal(&["--data-dir", &folder.path().to_string_lossy(), "api"]);
    for setting in ["ARGUSIQ_NATS__URL", "ARGUSIQ_POSTGRES__URL", "ARGUSIQ_REDIS__URL", "argusiq up"] {
        assert!(line.contains(setting), "{setting} is not in {line}");
    }
}

#[test]
fn a_password_of_digits_and_a_master_key_of_the_environment_are_taken_as_they_stand() {
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
    assert!(!folder.path().join("pki/master.key").exists(), "the key of the environment is not written down");
}

/// Runs argusiq, which must fail, and answers the one line it said.
fn refusal(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_argusiq"))
        .args(arguments)
        .env("ARGUSIQ_ADMIN_PASSWORD", PASSWORD)
        .env_remove("ARGUSIQ_NATS__URL")
        .output()
        .expect("argusiq starts");
    one_line(&output)
}

pub fn one_line(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it started: {said}");
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("argusiq: ")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    lines[0].to_owned()
}
