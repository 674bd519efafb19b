//! Errors of the stack: each says in one line what to do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::TcpListener;
use std::time::Duration;

use stack::testing::{TestStack, own_stack, sql};
use stack::{Error, Options, Ports, Server, Stack};

/// Starts a throwaway stack with changed options and returns its error.
async fn refusal(change: impl FnOnce(Options) -> Options) -> Error {
    let started = TestStack::start(change).await;
    started.expect_err("the stack must not start")
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for (server, ports, name) in [
        (Server::Nats, Ports { nats: port, ..Ports::free() }, "nats-server"),
        (Server::Nats, Ports { nats_monitoring: port, ..Ports::free() }, "NATS monitoring"),
        (Server::Postgres, Ports { postgres: port, ..Ports::free() }, "PostgreSQL"),
        (Server::Redis, Ports { redis: port, ..Ports::free() }, "Redis"),
    ] {
        let error = refusal(|options| Options { ports, ..options.only(server) }).await;
        let expected =
            format!("port {port} for {name} is already in use: stop what listens there, or choose another --port-base");
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_second_stack_on_the_same_folder_names_the_owner() {
    let stack = TestStack::start(|options| options.only(Server::Redis)).await.unwrap();
    let error = Stack::start(Options::throwaway(stack.data_dir()).only(Server::Redis)).await.unwrap_err();
    assert!(matches!(&error, Error::AlreadyRunning { pid, .. } if *pid == std::process::id()), "{error}");
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_created_is_named() {
    let error = Stack::start(Options::throwaway("/dev/null/argusiq").only(Server::Redis)).await.unwrap_err();
    let expected = "cannot create /dev/null/argusiq: check its owner and permissions, or choose another --data-dir";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_server_that_ends_at_once_shows_its_log() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("redis")).unwrap();
    // A folder in place of the append-only file's manifest.
    std::fs::create_dir_all(folder.path().join("redis/appendonlydir/appendonly.aof.manifest")).unwrap();
    let options = Options { ports: Ports::free(), ..Options::durable(folder.path()).only(Server::Redis) };
    let message = Stack::start(options).await.unwrap_err().to_string();
    assert!(message.starts_with("Redis ended before it was ready (exit status: 1); the last lines of "), "{message}");
    assert!(message.contains("appendonly.aof.manifest"), "{message}");
}

#[tokio::test]
async fn a_server_that_is_late_shows_its_last_response() {
    let error = refusal(|options| Options { ready_within: Duration::ZERO, ..options.only(Server::Nats) }).await;
    let message = error.to_string();
    assert!(message.starts_with("nats-server did not answer within 0 s (no connection: "), "{message}");
}

#[tokio::test]
async fn a_server_that_is_not_part_of_the_stack_cannot_be_killed_or_restarted() {
    let mut stack = TestStack::start(|options| options.only(Server::Redis)).await.unwrap();
    let expected = "nats-server is not part of this stack: start the stack with it";
    assert_eq!(stack.kill(Server::Nats).await.unwrap_err().to_string(), expected);
    assert_eq!(stack.restart(Server::Nats).await.unwrap_err().to_string(), expected);
    assert_eq!(stack.pid(Server::Nats), None);
}

#[tokio::test]
async fn a_statement_that_postgresql_refuses_is_quoted() {
    let stack = own_stack().await;
    let error = sql(&stack.urls().postgres, "SELECT nothing").await.unwrap_err();
    assert_eq!(error.to_string(), "PostgreSQL refused `SELECT nothing`");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("does not exist"));
}
