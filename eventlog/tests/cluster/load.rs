//! The load: a packing lane, writers of commands on separate aggregates and on one contended aggregate, a counter
//! incremented by compare-and-set, and a reader of everything. Each records what was acknowledged; `checks` compares it
//! with what is stored.

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

/// Writers with their own aggregate.
pub const WRITERS: usize = 3;
/// Writers that share one aggregate.
const RIVALS: usize = 2;
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

pub type Store = AggregateStore<Counter>;

/// Everything that was acknowledged.
#[derive(Default)]
pub struct Acknowledged {
    /// Items of the lane, with the sequence of their pack.
    pub stored: Mutex<Vec<(u32, u64)>>,
    pub refused: Mutex<Vec<u32>>,
    /// Acknowledged commands: aggregate name, command id, result and time.
    pub commands: Mutex<Vec<(String, String, Appended, Instant)>>,
    /// Sequences of the raw stream in the order the reader received them.
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

/// What the load had requested by its end.
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

    /// Waits until `more` further commands are answered, which proves that the load keeps running.
    pub async fn wait_for_answers(&self, more: usize) {
        let before = self.acknowledged.commands.lock().unwrap().len();
        crate::test_cluster::until(45, "commands are answered", || async {
            self.acknowledged.commands.lock().unwrap().len() >= before + more
        })
        .await;
    }

    /// Stops the load, lets the reader catch up, and returns what to compare.
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
            // A fixed pace, not a condition: leaves the machine to the servers.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    lane.close().await;
    pushed
}

/// Retries each command until it is answered, as a client with an idempotency key does.
async fn command_until(
    store: Store,
    writer: usize,
    name: String,
    acknowledged: Arc<Acknowledged>,
    stop: CancellationToken,
) {
    for n in 0.. {
        let command = format!("w{writer}c{n}");
        let deadline = Instant::now() + COMMAND_TIMEOUT;
        let answer = loop {
            assert!(Instant::now() < deadline, "{command} is not answered");
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

/// Increments a key by compare-and-set; returns the value it knows to be stored. It does not stop while in doubt,
/// because an unanswered write may still be stored until a later one is.
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
                // As the only writer it reads the key: it holds either the last acknowledged value or the one being
                // written.
                if let Ok(Some((value, at))) = bucket.get("count").await {
                    let found: u64 = std::str::from_utf8(&value).unwrap().parse().unwrap();
                    assert!(found == counted || found == counted + 1, "found {found} where {counted} was written");
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
