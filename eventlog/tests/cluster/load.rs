//! The load: a packing lane, writers of commands on their own and on one contended aggregate, a bucket that is counted
//! up by compare-and-set, and a reader of it all. Each keeps what it was acknowledged; `checks` compares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use eventlog::lane::Pack;
use eventlog::store::{AggregateStore, Appended, Error, StoreSettings};
use eventlog::{
    Batch, BucketName, Cause, ConsumeSettings, Consumer, Headers, Lane, LaneSettings, Log, Outcome, Positions, Source,
    Stream, Upcasters, buckets,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::counter::{Counter, increments};

/// Each has an aggregate of its own.
pub const WRITERS: usize = 3;
/// These share one.
const RIVALS: usize = 2;
const LONGEST_COMMAND: Duration = Duration::from_secs(60);

pub type Store = AggregateStore<Counter>;

/// What was acknowledged, by whom it was asked for.
#[derive(Default)]
pub struct Acknowledged {
    /// Items of the lane with the sequence of their pack.
    pub stored: Mutex<Vec<(u32, u64)>>,
    pub refused: Mutex<Vec<u32>>,
    /// Commands, by the name of their aggregate, with the time of the answer.
    pub commands: Mutex<Vec<(String, String, Appended, Instant)>>,
    /// Sequences of the raw stream as the reader got them.
    pub read: Mutex<Vec<u64>>,
    pub checkpoint: Mutex<Positions>,
}

pub struct Load {
    pub acknowledged: Arc<Acknowledged>,
    pub store: Store,
    pub started: Instant,
    stop: CancellationToken,
    read_on: CancellationToken,
    lane: JoinHandle<u32>,
    counting: JoinHandle<u64>,
    writers: Vec<JoinHandle<()>>,
    reader: JoinHandle<()>,
}

/// What the load had asked for when it ended.
pub struct Ended {
    pub acknowledged: Arc<Acknowledged>,
    pub store: Store,
    pub started: Instant,
    pub pushed: u32,
    pub counted: u64,
}

impl Load {
    pub fn start(log: &Log) -> Load {
        let (acknowledged, stop, read_on) =
            (Arc::new(Acknowledged::default()), CancellationToken::new(), CancellationToken::new());
        let settings = StoreSettings { snapshot_every: 20, ..StoreSettings::default() };
        let store = Store::new(log.clone(), Upcasters::none(), settings);
        let names = (0..WRITERS).map(|n| format!("w{n}")).chain((0..RIVALS).map(|_| "shared".to_owned()));
        let writers = names
            .enumerate()
            .map(|(n, name)| tokio::spawn(command_until(store.clone(), n, name, acknowledged.clone(), stop.clone())));
        Load {
            writers: writers.collect(),
            lane: tokio::spawn(push_until(lane(log, &acknowledged), stop.clone())),
            counting: tokio::spawn(count_until(log.clone(), stop.clone())),
            reader: tokio::spawn(read(log.clone(), acknowledged.clone(), read_on.clone())),
            started: Instant::now(),
            acknowledged,
            store,
            stop,
            read_on,
        }
    }

    /// Waits until so many more commands were answered: that the load is there, whatever happened before.
    pub async fn goes_on(&self, more: usize) {
        let before = self.acknowledged.commands.lock().unwrap().len();
        crate::test_cluster::until(45, "commands are answered", || async {
            self.acknowledged.commands.lock().unwrap().len() >= before + more
        })
        .await;
    }

    /// Ends the load, lets the reader come to the end, and returns what there is to compare.
    pub async fn end(self, log: &Log) -> Ended {
        self.stop.cancel();
        let (pushed, counted) = (self.lane.await.unwrap(), self.counting.await.unwrap());
        for writer in self.writers {
            writer.await.unwrap();
        }
        let last = log.last_sequence(Stream::TelemetryRaw).await.unwrap();
        crate::test_cluster::until(30, "the reader has read everything", || async {
            self.acknowledged.checkpoint.lock().unwrap().sequence(Stream::TelemetryRaw) >= last
        })
        .await;
        self.read_on.cancel();
        self.reader.await.unwrap();
        Ended { acknowledged: self.acknowledged, store: self.store, started: self.started, pushed, counted }
    }
}

fn lane(log: &Log, acknowledged: &Arc<Acknowledged>) -> Lane<u32> {
    let acknowledged = acknowledged.clone();
    let encode = |items: &[u32]| Pack { headers: Headers::new(), payload: serde_json::to_vec(items).unwrap().into() };
    Lane::start(log, Stream::TelemetryRaw, "0", LaneSettings::default(), encode, move |items, stored| match stored {
        Ok(sequence) => acknowledged.stored.lock().unwrap().extend(items.into_iter().map(|item| (item, sequence))),
        Err(_) => acknowledged.refused.lock().unwrap().extend(items),
    })
}

async fn push_until(lane: Lane<u32>, stop: CancellationToken) -> u32 {
    let mut pushed = 0;
    while !stop.is_cancelled() {
        lane.push(pushed, 100).await.unwrap();
        pushed += 1;
        if pushed % 20 == 0 {
            // Not a condition: a pace that leaves the machine to the servers.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    lane.close().await;
    pushed
}

/// Repeats each command until it has an answer, as a client with an idempotency key does.
async fn command_until(
    store: Store,
    writer: usize,
    name: String,
    acknowledged: Arc<Acknowledged>,
    stop: CancellationToken,
) {
    for n in 0.. {
        let command = format!("w{writer}c{n}");
        let deadline = Instant::now() + LONGEST_COMMAND;
        let answer = loop {
            assert!(Instant::now() < deadline, "{command} gets no answer");
            match once(&store, &name, &command).await {
                Ok(answer) => break answer,
                Err(Error::Unavailable { .. } | Error::OutcomeUnknown { .. } | Error::Conflict { .. }) => {
                    tokio::time::sleep(Duration::from_millis(10 + 7 * writer as u64)).await;
                }
                Err(other) => panic!("{command}: {other:?}"),
            }
        };
        acknowledged.commands.lock().unwrap().push((name.clone(), command, answer, Instant::now()));
        if stop.is_cancelled() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn once(store: &Store, name: &str, command: &str) -> Result<Appended, Error> {
    let loaded = store.load("acme", name).await?;
    let metadata = HashMap::from([("command_id".to_owned(), command.to_owned())]);
    store.append(loaded, increments(command, 2), metadata).await
}

/// Counts a key up by compare-and-set; returns the number it knows to be there. It does not stop in doubt: a write that was
/// not answered may still be stored, until a later one is.
async fn count_until(log: Log, stop: CancellationToken) -> u64 {
    let bucket = log.bucket(BucketName::StageState).await.unwrap();
    let (mut counted, mut revision, mut in_doubt) = (0_u64, 0, false);
    while in_doubt || !stop.is_cancelled() {
        let next = Bytes::from((counted + 1).to_string());
        let written = match revision {
            0 => bucket.create("count", next.clone()).await,
            at => bucket.update("count", next.clone(), at).await,
        };
        in_doubt = written.is_err();
        match written {
            Ok(at) => (counted, revision) = (counted + 1, at),
            Err(buckets::Error::Conflict { .. } | buckets::Error::Write { .. }) => {
                // The one writer asks what stands there: what it wrote last, or what it was writing.
                if let Ok(Some((value, at))) = bucket.get("count").await {
                    let found: u64 = std::str::from_utf8(&value).unwrap().parse().unwrap();
                    assert!(found == counted || found == counted + 1, "{found} stands where {counted} was written");
                    (counted, revision) = (found, at);
                }
            }
            Err(other) => panic!("{other}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    counted
}

async fn read(log: Log, acknowledged: Arc<Acknowledged>, shutdown: CancellationToken) {
    let settings = ConsumeSettings { linger: Duration::from_millis(5), ..ConsumeSettings::default() };
    eventlog::run(&log, Reader(acknowledged), settings, shutdown).await.unwrap();
}

struct Reader(Arc<Acknowledged>);

impl Consumer for Reader {
    fn name(&self) -> &str {
        "reader"
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::all(Stream::TelemetryRaw)]
    }

    async fn resume(&mut self) -> Result<Positions, Cause> {
        Ok(self.0.checkpoint.lock().unwrap().clone())
    }

    async fn handle(&mut self, batch: &Batch) -> Outcome {
        self.0.read.lock().unwrap().extend(batch.messages.iter().map(|message| message.sequence));
        *self.0.checkpoint.lock().unwrap() = batch.positions.clone();
        Outcome::Done
    }
}
