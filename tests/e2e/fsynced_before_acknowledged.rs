//! A PUBACK guarantees that the message is on disk. The test traces the system calls of nats-server; kill -9 would
//! prove less, because the page cache survives it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stack::Server;

use crate::clients;
use crate::fixtures::{self, reading};
use crate::platform::Platform;
use crate::wait::wait_until;

/// Number of messages; each is acknowledged before the next is sent.
const MESSAGES: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_acknowledged_before_its_fsync_returns() {
    clients::ensure_command("strace", "strace");
    let platform = Platform::separate_roles().await;
    let nats = platform.stack.as_ref().and_then(|stack| stack.pid(Server::Nats)).expect("a running nats-server");
    tokio::task::block_in_place(|| {
        let api = platform.admin();
        let device = fixtures::device(&api, platform.folder.path(), "SN-F");
        let trace = platform.folder.path().join("trace");
        let tracer = Tracer::attach(nats, &trace);
        let payloads: Vec<_> = (0..MESSAGES).map(|n| reading(20.0, n as i64)).collect();
        let answered = clients::paho(&device, platform.mqtt_port(), "3.1.1", &device.topic, &payloads);
        assert_eq!(answered.acknowledged(), MESSAGES, "{answered:?}");
        tracer.end();
        assert_synced_before_acknowledged(&fs::read_to_string(&trace).unwrap());
    });
}

/// Asserts on the trace that each JetStream acknowledgement for the raw stream (`"stream":"TELEMETRY_RAW"`) follows an
/// fsync of that stream's block file that began after the message was written and has returned.
fn assert_synced_before_acknowledged(trace: &str) {
    let (mut acknowledged, mut synced) = (0, 0);
    let mut written_not_synced = false;
    let mut syncing = BTreeSet::new();
    for line in trace.lines() {
        let thread = line.split_whitespace().next().unwrap_or_default();
        let of_raw = line.contains("TELEMETRY_RAW/msgs/");
        let interrupted = line.contains("<unfinished ...>");
        if of_raw && line.contains("pwrite64(") {
            written_not_synced = true;
        } else if of_raw && line.contains("sync(") && interrupted {
            syncing.insert(thread);
        } else if (of_raw && line.contains("sync(")) || (line.contains("sync resumed>") && syncing.remove(thread)) {
            assert!(line.contains("= 0"), "fsync failed: {line}");
            written_not_synced = false;
            synced += 1;
        } else if line.contains(r#"\"stream\":\"TELEMETRY_RAW\""#) && line.contains(r#"\"seq\":"#) {
            acknowledged += 1;
            assert!(!written_not_synced, "acknowledged before fsync: {line}");
        }
    }
    assert!(acknowledged >= MESSAGES, "only {acknowledged} acknowledgements in the trace");
    assert!(synced >= MESSAGES, "only {synced} fsyncs of the raw stream in the trace");
}

/// strace attached to a process.
struct Tracer(Child);

impl Tracer {
    /// Attaches strace to a process; returns once it traces.
    fn attach(pid: u32, out: &Path) -> Self {
        let calls = "trace=write,pwrite64,writev,fsync,fdatasync";
        let child = Command::new("strace")
            .args(["-f", "-T", "-ttt", "-y", "-s", "400", "-e", calls, "-p", &pid.to_string(), "-o"])
            .arg(out)
            .stderr(Stdio::null())
            .spawn()
            .expect("strace starts");
        wait_until("strace is attached", Duration::from_secs(10), || {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:")).map(str::trim).unwrap_or("0");
            if tracer == "0" { Err(status) } else { Ok(()) }
        });
        Self(child)
    }

    /// Detaches strace; the trace is complete afterwards.
    fn end(mut self) {
        Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().expect("kill starts");
        self.0.wait().expect("strace ends");
    }
}
