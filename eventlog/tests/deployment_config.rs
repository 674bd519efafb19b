//! Validates the deployment's NATS configuration with nats-server itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::Command;

use eventlog::permissions::Role;
use stack::Server;

#[test]
fn nats_server_accepts_the_cluster_configuration() {
    let nats = stack::ensure_installed(&[Server::Nats], true).unwrap().nats;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/nats");
    let check = |passwords: bool| {
        let mut command = Command::new(&nats);
        command.args(["-t", "-c", "cluster.conf"]).current_dir(&folder).env("NATS_NAME", "nats-1");
        command.env("NATS_ROUTE_PASSWORD", "secret");
        command.env("NATS_ROUTES", "[nats-route://route:secret@nats-1:6222, nats-route://route:secret@nats-2:6222]");
        for role in Role::ALL.into_iter().filter(|_| passwords) {
            command.env(role.password_variable(), "secret");
        }
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (accepted, output) = check(true);
    assert!(accepted, "{output}");
    assert!(!check(false).0, "the configuration was accepted without passwords");
}
