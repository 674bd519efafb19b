//! The lifecycle of a stack: servers are started, watched, killed, restarted and stopped.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use stack::testing::{TestStack, own_stack, sql};
use stack::{Durability, Options, Server, Stack};

const ALL: [Server; 3] = [Server::Nats, Server::Postgres, Server::Redis];

fn is_running(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/exe")).read_link().is_ok()
}

#[tokio::test]
async fn a_killed_server_restarts_on_the_same_port_with_its_data() {
    let mut stack = own_stack().await;
    let urls = stack.urls().clone();
    sql(&urls.postgres, "CREATE TABLE kept AS SELECT 42 AS answer").await.unwrap();
    sql(&urls.postgres, "CHECKPOINT").await.unwrap();
    for server in ALL {
        let before = stack.pid(server).unwrap();
        stack.kill(server).await.unwrap();
        assert_eq!(stack.pid(server), None);
        assert!(!is_running(before));
        stack.restart(server).await.unwrap();
        assert_ne!(stack.pid(server).unwrap(), before);
    }
    assert_eq!(stack.urls(), &urls);
    assert_eq!(sql(&urls.postgres, "SELECT answer FROM kept").await.unwrap(), ["42"]);
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_running_server_can_be_restarted() {
    let mut stack = TestStack::start(|options| options.only(Server::Redis)).await.unwrap();
    let before = stack.pid(Server::Redis).unwrap();
    stack.restart(Server::Redis).await.unwrap();
    assert_ne!(stack.pid(Server::Redis).unwrap(), before);
    assert!(!is_running(before));
}

#[tokio::test]
async fn a_server_that_dies_is_reported_with_its_last_log_lines() {
    let stack = TestStack::start(|options| options.only(Server::Nats)).await.unwrap();
    let watch = stack.watch();
    let pid = Pid::from_raw(stack.pid(Server::Nats).unwrap().cast_signed());
    kill(pid, Signal::SIGKILL).unwrap();
    let exited = tokio::time::timeout(Duration::from_secs(10), watch).await.unwrap();
    assert_eq!(exited.server, Server::Nats);
    let message = exited.to_string();
    assert!(
        message.starts_with("nats-server ended unexpectedly (signal: 9 (SIGKILL)); the last lines of "),
        "{message}"
    );
    assert!(message.contains("Server is ready"), "{message}");
}

#[tokio::test]
async fn a_server_killed_on_purpose_is_not_reported_and_the_next_death_is() {
    let mut stack = TestStack::start(|options| Options { postgres: false, ..options }).await.unwrap();
    let watch = stack.watch();
    stack.kill(Server::Redis).await.unwrap();
    let pid = Pid::from_raw(stack.pid(Server::Nats).unwrap().cast_signed());
    kill(pid, Signal::SIGTERM).unwrap();
    let exited = tokio::time::timeout(Duration::from_secs(10), watch).await.unwrap();
    assert_eq!(exited.server, Server::Nats);
}

#[test]
fn servers_outlive_the_runtime_that_started_them() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let first = runtime();
    let start = TestStack::start(|options| options.only(Server::Postgres));
    let stack = first.block_on(first.spawn(start)).unwrap().unwrap();
    drop(first);
    let answer = runtime().block_on(sql(&stack.urls().postgres, "SELECT 1")).unwrap();
    assert_eq!(answer, ["1"]);
}

#[tokio::test]
async fn stop_and_drop_leave_no_processes_and_no_folders() {
    let stopped = own_stack().await;
    let dropped = TestStack::start(|options| options.only(Server::Redis)).await.unwrap();
    let folders = [stopped.data_dir().to_path_buf(), dropped.data_dir().to_path_buf()];
    let mut pids: Vec<u32> = ALL.iter().filter_map(|server| stopped.pid(*server)).collect();
    pids.extend(dropped.pid(Server::Redis));
    assert_eq!(pids.len(), 4);
    assert!(pids.iter().all(|pid| is_running(*pid)));
    stopped.stop().await.unwrap();
    drop(dropped);
    assert!(!pids.iter().any(|pid| is_running(*pid)));
    assert!(!folders.iter().any(|folder| folder.exists()));
}

#[tokio::test]
async fn the_data_folder_may_have_any_name() {
    let root = tempfile::tempdir().unwrap();
    let odd = root.path().join("it's a \"data\" folder, größer #1");
    let stack = Stack::start(Options::throwaway(&odd)).await.unwrap();
    assert!(odd.join("nats/data/jetstream").is_dir());
    let folder = sql(&stack.urls().postgres, "SHOW data_directory").await.unwrap().concat();
    assert_eq!(Path::new(&folder).canonicalize().unwrap(), odd.join("postgres/data").canonicalize().unwrap());
    stack.stop().await.unwrap();
    stack::testing::remove_data(&odd).unwrap();
}

#[tokio::test]
async fn jetstream_syncs_before_it_acknowledges() {
    let stack = TestStack::start(|options| options.only(Server::Nats)).await.unwrap();
    let address = stack.urls().nats_monitoring.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(stream, "GET /jsz?config=true HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"sync_always\": true"), "{answer}");
    assert!(answer.contains("\"max_storage\": 1125899906842624"), "{answer}");
}

#[tokio::test]
async fn a_durable_stack_syncs_and_a_throwaway_one_does_not() {
    for (durability, expected) in [(Durability::Durable, "on"), (Durability::Throwaway, "off")] {
        let change = |options: Options| Options { durability, ..options.only(Server::Postgres) };
        let stack = TestStack::start(change).await.unwrap();
        let in_memory = stack.data_dir().starts_with("/dev/shm");
        assert!(!in_memory || durability == Durability::Throwaway, "{}", stack.data_dir().display());
        let url = &stack.urls().postgres;
        assert_eq!(sql(url, "SHOW fsync").await.unwrap(), [expected]);
        assert_eq!(sql(url, "SHOW synchronous_commit").await.unwrap(), ["on"]);
        assert_eq!(sql(url, "SHOW timezone").await.unwrap(), ["UTC"]);
        assert_eq!(sql(url, "SELECT lower('Ä') || ('B' < 'a')").await.unwrap(), ["ätrue"]);
    }
}
