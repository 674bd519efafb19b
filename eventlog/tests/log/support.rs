//! Shared test helpers: a unique log, a dedicated server that can be killed, and a consumer that records what it reads.

use std::future::Future;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use eventlog::{
    Batch, Cause, ConsumeSettings, Consumer, Headers, Log, Outcome, Positions, Publisher, PublisherSettings, Settings,
    Source, Stream, StreamSizes,
};
use stack::testing::{SHARED, TestStack, servers};
use tokio::sync::OnceCell;

/// Connects to the shared server under a unique prefix and declares the streams.
pub async fn log() -> Log {
    let log = undeclared(StreamSizes::small()).await;
    log.declare_streams().await.unwrap();
    log
}

/// Connects to the shared server under a unique prefix with the given sizes, and declares nothing.
pub async fn undeclared(sizes: StreamSizes) -> Log {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let prefix = format!("e{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    Log::connect(settings(&shared_nats().await, &prefix).with_sizes(sizes)).await.unwrap()
}

/// Returns the URL of the nats-server that all tests share: the one named in the environment, else one started by this
/// process, without the other servers, which these tests do not need.
async fn shared_nats() -> String {
    static NATS: OnceCell<Server> = OnceCell::const_new();
    if std::env::var_os(SHARED).is_some() {
        return servers().await.nats.clone();
    }
    NATS.get_or_init(Server::start).await.url()
}

pub fn settings(url: &str, prefix: &str) -> Settings {
    Settings::new(url).with_prefix(prefix).with_sizes(StreamSizes::small())
}

/// Polls a condition until it holds, for at most `seconds`.
pub async fn until<F: Future<Output = bool>>(seconds: u64, what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !holds().await {
        assert!(Instant::now() < deadline, "timed out after {seconds} s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Publishes `count` messages with the payloads `0`, `1`, …; returns the last sequence.
pub async fn publish(log: &Log, stream: Stream, tail: &str, count: usize) -> u64 {
    let publisher = Publisher::new(log, PublisherSettings::default());
    let mut last = 0;
    for n in 0..count {
        last = publisher.publish(stream, tail, Headers::new(), Bytes::from(n.to_string())).await.unwrap();
    }
    last
}

/// A nats-server dedicated to one test, which can be killed and restarted on the same port and data.
pub struct Server(TestStack);

impl Server {
    pub async fn start() -> Server {
        Server(TestStack::start(|options| options.only(stack::Server::Nats)).await.unwrap())
    }

    pub fn url(&self) -> String {
        self.0.urls().nats.clone()
    }

    pub async fn log(&self, prefix: &str) -> Log {
        let log = Log::connect(settings(&self.url(), prefix)).await.unwrap();
        until(10, "JetStream answers", || async { log.ping().await.is_ok() }).await;
        log.declare_streams().await.unwrap();
        log
    }

    /// Kills the server without warning.
    pub async fn kill(&mut self) {
        self.0.kill(stack::Server::Nats).await.unwrap();
    }

    pub async fn restart(&mut self) {
        self.0.restart(stack::Server::Nats).await.unwrap();
    }

    /// Freezes the server (SIGSTOP) while its sockets stay open. Returns once every thread is stopped, which sending
    /// the signal alone does not guarantee.
    pub fn freeze(&self) {
        self.signal("-STOP");
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.is_stopped() {
            assert!(Instant::now() < deadline, "the server does not stop");
            std::thread::yield_now();
        }
    }

    fn is_stopped(&self) -> bool {
        let pid = self.0.pid(stack::Server::Nats).unwrap();
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().map(|thread| thread.unwrap().path());
        threads.map(|thread| std::fs::read_to_string(thread.join("stat")).unwrap_or_default()).all(|stat| {
            // The state follows the name in parentheses; T means stopped (proc(5)).
            stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('T'))
        })
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.0.pid(stack::Server::Nats).unwrap();
        assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
    }
}

/// What a [`Recorder`] saw, and its checkpoint; it outlives the recorder, as a database would.
#[derive(Clone, Default)]
pub struct Record {
    pub seen: Arc<Mutex<Vec<(Stream, u64, Bytes)>>>,
    pub checkpoint: Arc<Mutex<Positions>>,
    pub batches: Arc<Mutex<Vec<usize>>>,
}

impl Record {
    pub fn sequences(&self, stream: Stream) -> Vec<u64> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.0 == stream).map(|seen| seen.1).collect()
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub fn positions(&self) -> Positions {
        self.checkpoint.lock().unwrap().clone()
    }

    pub fn set(&self, positions: Positions) {
        *self.checkpoint.lock().unwrap() = positions;
    }
}

/// A consumer that records every message with its checkpoint; `decide` may return another outcome before anything is
/// stored.
pub struct Recorder<D> {
    pub sources: Vec<Source>,
    pub record: Record,
    pub decide: D,
}

pub fn recorder(sources: Vec<Source>, record: &Record) -> Recorder<fn(&Batch) -> Option<Outcome>> {
    Recorder { sources, record: record.clone(), decide: |_| None }
}

impl<D: FnMut(&Batch) -> Option<Outcome> + Send> Consumer for Recorder<D> {
    fn name(&self) -> &str {
        "recorder"
    }

    fn sources(&self) -> Vec<Source> {
        self.sources.clone()
    }

    async fn resume(&mut self) -> Result<Positions, Cause> {
        Ok(self.record.positions())
    }

    async fn handle(&mut self, batch: &Batch) -> Outcome {
        if let Some(outcome) = (self.decide)(batch) {
            return outcome;
        }
        let seen = batch.messages.iter().map(|message| (message.stream, message.sequence, message.payload.clone()));
        self.record.seen.lock().unwrap().extend(seen);
        self.record.batches.lock().unwrap().push(batch.messages.len());
        self.record.set(batch.positions.clone());
        Outcome::Done
    }
}

pub fn quick() -> ConsumeSettings {
    ConsumeSettings {
        linger: Duration::from_millis(5),
        idle_advance: Duration::from_millis(200),
        ..ConsumeSettings::default()
    }
}
