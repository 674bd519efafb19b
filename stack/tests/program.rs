//! The program `argusiq-stack`, and above all that it leaves no server running, whatever ends it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use stack::testing::sql;

const PROGRAM: &str = env!("CARGO_BIN_EXE_argusiq-stack");

/// A stack in another process, with the URL of its PostgreSQL and the ids of all its descendants.
struct Up {
    process: Child,
    postgres: String,
    servers: BTreeSet<i32>,
}

impl Drop for Up {
    fn drop(&mut self) {
        // The process has already ended unless an assertion failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn up(data_dir: &Path) -> Up {
    let mut command = Command::new(PROGRAM);
    command.args(["up", "--data-dir"]).arg(data_dir).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    let lines: Vec<String> = lines.take(4).collect();
    let postgres =
        lines.iter().find_map(|line| line.strip_prefix("PostgreSQL  ")).expect("the program prints the URL").to_owned();
    let servers = descendants(process.id().cast_signed());
    assert!(servers.len() > 3, "nats-server, Redis, PostgreSQL and its children: {servers:?}");
    Up { process, postgres, servers }
}

fn descendants(root: i32) -> BTreeSet<i32> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids: Vec<i32> = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let parents: Vec<(i32, i32)> = pids.into_iter().filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = BTreeSet::from([root]);
    while let Some((pid, _)) = parents.iter().find(|(pid, parent)| found.contains(parent) && !found.contains(pid)) {
        found.insert(*pid);
    }
    found.remove(&root);
    found
}

fn parent(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Returns the name of a process; empty for one that has ended, as PostgreSQL's workers do.
fn comm(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default()
}

/// Whether a process runs. One that has ended but is not reaped has no executable any more.
fn is_running(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}/exe")).read_link().is_ok()
}

async fn all_gone_within(deadline: Duration, pids: &BTreeSet<i32>) {
    let start = Instant::now();
    while pids.iter().any(|pid| is_running(*pid)) {
        let left: Vec<_> = pids.iter().filter(|pid| is_running(**pid)).collect();
        assert!(start.elapsed() < deadline, "still running: {left:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn servers_of_a_killed_stack_end_and_the_next_stack_finds_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let mut killed = up(folder.path());
    sql(&killed.postgres, "CREATE TABLE kept AS SELECT 42 AS answer").await.unwrap();
    killed.process.kill().unwrap();
    killed.process.wait().unwrap();
    // Start at once, while the servers of the killed stack are still stopping: the new stack must wait for them.
    let mut next = up(folder.path());
    assert!(!killed.servers.iter().any(|pid| is_running(*pid)));
    assert_eq!(next.postgres, killed.postgres, "the ports are remembered");
    assert_eq!(sql(&next.postgres, "SELECT answer FROM kept").await.unwrap(), ["42"]);
    next.process.kill().unwrap();
    next.process.wait().unwrap();
    all_gone_within(Duration::from_secs(20), &next.servers).await;
}

#[tokio::test]
async fn a_stack_stops_its_servers_on_sigint_and_sigterm() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let folder = tempfile::tempdir().unwrap();
        let mut stack = up(folder.path());
        kill(Pid::from_raw(stack.process.id().cast_signed()), signal).unwrap();
        assert!(stack.process.wait().unwrap().success());
        assert!(!stack.servers.iter().any(|pid| is_running(*pid)));
        let log = std::fs::read_to_string(folder.path().join("logs/postgres.log")).unwrap();
        assert!(log.contains("database system is shut down"), "{log}");
    }
}

#[tokio::test]
async fn the_stack_fails_when_a_server_dies() {
    let folder = tempfile::tempdir().unwrap();
    let mut stack = up(folder.path());
    let is_redis = |pid: &&i32| comm(**pid).trim() == "redis-server";
    let redis = *stack.servers.iter().find(is_redis).unwrap();
    kill(Pid::from_raw(redis), Signal::SIGKILL).unwrap();
    assert_eq!(stack.process.wait().unwrap().code(), Some(1));
    all_gone_within(Duration::from_secs(10), &stack.servers).await;
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(["run", "--"]).args(arguments).output().unwrap()
}

#[test]
fn a_command_gets_the_servers_urls_and_its_exit_code_is_returned() {
    let output = run(&["sh", "-c", "echo $ARGUSIQ_TEST_STACK; exit 7"]);
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let urls: stack::Urls = serde_json::from_slice(&output.stdout).unwrap();
    assert!(urls.nats.starts_with("nats://127.0.0.1:") && urls.redis.starts_with("redis://127.0.0.1:"));
    assert_eq!(run(&["sh", "-c", "kill -9 $$"]).status.code(), Some(137));
    let message = String::from_utf8(run(&["/nonexistent/command"]).stderr).unwrap();
    assert!(message.starts_with("argusiq-stack: cannot start /nonexistent/command: No such file"), "{message}");
}

/// Runs `true` without installing and with servers searched only in these folders. Returns the error output.
fn run_with(path: &Path, tools: &Path) -> String {
    let mut command = Command::new(PROGRAM);
    command.args(["run", "--no-install", "--", "true"]).env("PATH", path).env("ARGUSIQ_TOOLS_DIR", tools);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_tools_folder_that_cannot_be_created_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(PROGRAM);
    let output = command.arg("install").env("PATH", folder.path()).env("ARGUSIQ_TOOLS_DIR", "/dev/null/tools").output();
    let message = String::from_utf8(output.unwrap().stderr).unwrap();
    let expected = "argusiq-stack: cannot use /dev/null/tools for downloaded servers: set ARGUSIQ_TOOLS_DIR";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn the_error_of_a_failed_download_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(PROGRAM);
    // The PATH has neither python3 nor apt-get.
    let output = command.arg("install").env("PATH", folder.path()).env("ARGUSIQ_TOOLS_DIR", folder.path()).output();
    let message = String::from_utf8(output.unwrap().stderr).unwrap();
    let expected = "argusiq-stack: installing nats-server failed (cannot run python3: ";
    assert!(
        message.lines().any(|line| line.starts_with(expected) && line.ends_with("put it on the PATH")),
        "{message}"
    );
}

fn old_nats_server(folder: &Path) -> PathBuf {
    let program = folder.join("nats-server");
    std::fs::write(&program, "#!/bin/sh\necho 'nats-server: v2.9.10'\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[test]
fn a_missing_or_outdated_server_is_reported_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let message = run_with(folder.path(), folder.path());
    assert!(message.starts_with("argusiq-stack: nats-server was not found: run `argusiq-stack install`"), "{message}");
    assert_eq!(message.lines().count(), 1);
    let program = old_nats_server(folder.path());
    let message = run_with(folder.path(), folder.path());
    let expected = format!(
        "argusiq-stack: nats-server 2.9.10 at {} is too old, 2.11.0 or later is needed: run `argusiq-stack install`",
        program.display()
    );
    assert!(message.starts_with(&expected), "{message}");
    assert_eq!(message.lines().count(), 1);
}
