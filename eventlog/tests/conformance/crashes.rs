//! Writers and servers killed with SIGKILL under load: commands are stored whole and once, and answered commands stay
//! stored.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eventlog::store::{Appended, Error, StoreSettings, verify_chain};
use eventlog::{Settings, Stream, StreamSizes, Upcasters, decode_events};
use tokio_util::sync::CancellationToken;

use crate::backend;
use crate::counter::increments;
use crate::fixture::{Fixture, Place, metadata, parts, store_settings};

const EVENTS_PER_COMMAND: usize = 20;
const WRITERS: usize = 6;
/// Environment variable that tells a child process of this test where to write: `<url> <prefix> <round> <database>`.
const CHILD: &str = "ARGUSIQ_CONFORMANCE_WRITER";

/// Returns every command of the aggregates with its number of events; asserts that versions and hash chains are intact.
async fn stored_commands(store: &Fixture, ids: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut commands = BTreeMap::new();
    for id in ids {
        let (organization, name) = parts(&id);
        let messages = store.store.messages(organization, name).await.unwrap();
        verify_chain(&messages).unwrap();
        for message in &messages {
            let events = decode_events(message, &Upcasters::none()).unwrap();
            let command = events[0].metadata["command_id"].clone();
            assert!(events.iter().all(|event| event.metadata["command_id"] == command));
            assert_eq!(commands.insert(command.clone(), events.len()), None, "{command} is stored twice");
        }
    }
    commands
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_writer_leaves_every_command_whole_or_absent() {
    if let Ok(target) = std::env::var(CHILD) {
        return write_until_killed(&target).await;
    }
    let place = backend::place().await;
    let store = Fixture::open(place.clone(), store_settings()).await;
    let mut answered = HashSet::new();
    for round in 0..3 {
        let mut child = Writer::start(&place, round);
        let before = store.last().await;
        let deadline = Instant::now() + Duration::from_secs(60);
        while store.last().await < before + 40 + round {
            assert!(Instant::now() < deadline, "the writer stores too few commands");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        answered.extend(tokio::task::spawn_blocking(move || child.kill()).await.unwrap());
    }
    let ids = (0..3).flat_map(|round| (0..WRITERS).map(move |writer| format!("acme/r{round}w{writer}")));
    let stored = stored_commands(&store, ids).await;
    assert!(stored.len() >= 120, "{}", stored.len());
    assert!(!answered.is_empty());
    let partial: Vec<_> = stored.iter().filter(|(_, events)| **events != EVENTS_PER_COMMAND).collect();
    assert!(partial.is_empty(), "{partial:?}");
    let lost: Vec<_> = answered.iter().filter(|command| !stored.contains_key(*command)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// Runs in the child: stores commands of many events on its own aggregates and prints a line per answered command.
async fn write_until_killed(target: &str) {
    let mut words = target.split(' ');
    let (url, prefix, round) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap().to_owned());
    let settings = Settings::new(url).with_prefix(prefix).with_sizes(StreamSizes::small());
    let place = Place { settings, database: words.next().unwrap().to_owned() };
    let store = Fixture::open(place, store_settings()).await;
    let writers = (0..WRITERS).map(|writer| {
        let (store, round) = (store.clone(), round.clone());
        tokio::spawn(async move {
            for n in 0.. {
                let command = format!("r{round}w{writer}c{n}");
                let events = increments(&command, EVENTS_PER_COMMAND);
                store.commit(&format!("acme/r{round}w{writer}"), &command, events).await;
                let mut out = std::io::stdout().lock();
                writeln!(out, "answered {command}").unwrap();
                out.flush().unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

/// A child process that writes until it is killed.
struct Writer(Child);

impl Writer {
    fn start(place: &Place, round: u64) -> Self {
        let this_test = "crashes::a_killed_writer_leaves_every_command_whole_or_absent";
        let settings = &place.settings;
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this_test, "--nocapture"])
            .env(CHILD, format!("{} {} {round} {}", settings.url, settings.stream_prefix, place.database))
            .stdout(Stdio::piped())
            .spawn();
        Self(child.unwrap())
    }

    /// Kills the child (SIGKILL) and returns the commands that were answered.
    fn kill(&mut self) -> Vec<String> {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        let lines = BufReader::new(self.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        lines.filter_map(|line| Some(line.split_once("answered ")?.1.to_owned())).collect()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_under_load_neither_loses_answered_commands_nor_duplicates_any() {
    let (mut stack, place) = backend::own_stack().await;
    let quick = StoreSettings { publish_timeout: Duration::from_millis(400), ..store_settings() };
    let store = Fixture::open(place, quick).await;
    let (answers, enough) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write_until(store.clone(), writer, answers.clone(), enough.clone())))
        .collect();
    for round in 1..=4 {
        let deadline = Instant::now() + Duration::from_secs(60);
        while answers.lock().unwrap().len() < round * 60 {
            assert!(Instant::now() < deadline, "round {round}: too few answers");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stack.kill(backend::SERVER).await.unwrap();
        stack.restart(backend::SERVER).await.unwrap();
    }
    enough.cancel();
    for writer in writers {
        writer.await.unwrap();
    }
    let stored = stored_commands(&store, (0..WRITERS).map(|writer| format!("acme/w{writer}"))).await;
    let answers = std::mem::take(&mut *answers.lock().unwrap());
    assert_eq!(stored.len(), answers.len(), "every command is answered in the end and stored once");
    relayed(&store).await;
    for (command, answer) in answers {
        assert_eq!(stored.get(&command), Some(&EVENTS_PER_COMMAND), "{command}");
        let message = store.log.get_message(Stream::Es, answer.position).await.unwrap().unwrap();
        let events = decode_events(&message, &Upcasters::none()).unwrap();
        assert_eq!(events[0].metadata["command_id"], command, "the answer must name the command's position");
        assert_eq!(events[EVENTS_PER_COMMAND - 1].sequence, answer.version);
    }
    stack.stop().await.unwrap();
}

/// Waits until JetStream has everything that is stored.
async fn relayed(store: &Fixture) {
    let (last, deadline) = (store.last().await, Instant::now() + Duration::from_secs(30));
    while store.log.last_sequence(Stream::Es).await.unwrap() < last {
        assert!(Instant::now() < deadline, "JetStream lacks messages below {last}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Retries each command until it is answered, as a client with an idempotency key does.
async fn write_until(
    store: Fixture,
    writer: usize,
    answers: Arc<Mutex<Vec<(String, Appended)>>>,
    enough: CancellationToken,
) {
    let id = format!("w{writer}");
    for n in 0.. {
        let command = format!("w{writer}c{n}");
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            assert!(Instant::now() < deadline, "{command} is not answered");
            let loaded = match store.store.load("acme", &id).await {
                Ok(loaded) => loaded,
                Err(Error::Unavailable { .. }) => {
                    tokio::task::yield_now().await;
                    continue;
                }
                Err(other) => panic!("{command}: {other:?}"),
            };
            match store.store.append(loaded, increments(&command, EVENTS_PER_COMMAND), metadata(&command)).await {
                Ok(answer) => {
                    answers.lock().unwrap().push((command, answer));
                    break;
                }
                Err(Error::Unavailable { .. } | Error::OutcomeUnknown { .. } | Error::Conflict { .. }) => {}
                Err(other) => panic!("{command}: {other:?}"),
            }
        }
        if enough.is_cancelled() {
            return;
        }
    }
}
