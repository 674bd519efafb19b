//! The requirements of every event store, independent of its storage: a trait for the store under test and one function
//! per requirement. Nothing here depends on `Fixture`, so a store on another database can meet the same requirements.

use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::counter::{Counter, CounterEvent, increments};

/// A store of [`Counter`]s. Clones share one instance; ids are `<organization>/<id>`.
pub trait StoreUnderTest: Clone + Send + Sync + 'static {
    /// The context that `load` returns and `append` takes.
    type Context: Send;

    /// Opens another instance on the same data, as another process would: with its own connection and empty caches.
    fn elsewhere(&self) -> impl Future<Output = Self> + Send;
    /// Loads a counter as a command that may change it would.
    fn load(&self, id: &str) -> impl Future<Output = Current<Self::Context>> + Send;
    /// Appends the events of one command.
    fn append(
        &self,
        context: Self::Context,
        events: Vec<CounterEvent>,
        command_id: &str,
    ) -> impl Future<Output = Result<Answer, Failure>> + Send;
    /// Returns what a command stored.
    fn find(&self, id: &str, command_id: &str) -> impl Future<Output = Option<Answer>> + Send;
    /// Reads all events with their versions and metadata, in order.
    fn events(&self, id: &str) -> impl Future<Output = Vec<StoredEvent>> + Send;
}

pub struct Current<C> {
    pub state: Counter,
    pub version: u64,
    pub context: C,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub position: u64,
    pub version: u64,
    pub event_ids: Vec<String>,
    pub repeated: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    pub version: u64,
    pub event: CounterEvent,
    pub metadata: HashMap<String, String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    Conflict,
    Full,
    Other(String),
}

pub async fn what_is_appended_is_loaded(store: impl StoreUnderTest) {
    let empty = store.load("acme/1").await;
    assert_eq!((&empty.state, empty.version), (&Counter::default(), 0));
    let first = store.append(empty.context, increments("a", 3), "a").await.unwrap();
    assert_eq!((first.version, first.event_ids.len(), first.repeated), (3, 3, false));
    let mut events = increments("b", 1);
    events.push(CounterEvent::CounterReset);
    events.extend(increments("c", 1));
    let second = store.append(store.load("acme/1").await.context, events.clone(), "b").await.unwrap();
    assert!(second.position > first.position, "{} after {}", second.position, first.position);
    for reader in [store.clone(), store.elsewhere().await] {
        let loaded = reader.load("acme/1").await;
        assert_eq!((loaded.state, loaded.version), (Counter { value: 1, events: 6 }, 6));
        let stored = reader.events("acme/1").await;
        let expected: Vec<_> = (1..).zip(increments("a", 3).into_iter().chain(events.clone())).collect();
        assert_eq!(stored.iter().map(|e| (e.version, e.event.clone())).collect::<Vec<_>>(), expected);
        let commands: Vec<_> = stored.iter().map(|e| e.metadata["command_id"].as_str()).collect();
        assert_eq!(commands, ["a", "a", "a", "b", "b", "b"]);
    }
}

pub async fn organizations_and_ids_do_not_mix(store: impl StoreUnderTest) {
    for (id, count) in [("acme/1", 1), ("acme/2", 2), ("other/1", 3)] {
        store.append(store.load(id).await.context, increments(id, count), id).await.unwrap();
    }
    for (id, count) in [("acme/1", 1), ("acme/2", 2), ("other/1", 3), ("other/2", 0)] {
        assert_eq!(store.load(id).await.version, count, "{id}");
    }
}

pub async fn a_command_without_events_stores_nothing(store: impl StoreUnderTest) {
    let first = store.append(store.load("acme/1").await.context, increments("a", 2), "a").await.unwrap();
    let nothing = store.append(store.load("acme/1").await.context, Vec::new(), "b").await.unwrap();
    assert_eq!((nothing.position, nothing.version, nothing.repeated), (first.position, 2, false));
    assert_eq!(store.events("acme/1").await.len(), 2);
    assert_eq!(store.find("acme/1", "b").await, None);
}

pub async fn a_stale_writer_gets_a_conflict_and_stores_nothing(store: impl StoreUnderTest) {
    let other = store.elsewhere().await;
    for (round, id) in [(0, "acme/new"), (1, "acme/new")] {
        let (mine, theirs) = (store.load(id).await, other.load(id).await);
        other.append(theirs.context, increments("won", 2), &format!("won{round}")).await.unwrap();
        let lost = store.append(mine.context, increments("lost", 1), &format!("lost{round}")).await;
        assert_eq!(lost, Err(Failure::Conflict), "round {round}");
        assert_eq!(store.load(id).await.version, 2 * (round + 1));
    }
    let tokens = tokens(&store.events("acme/new").await);
    assert_eq!(tokens, ["won.0", "won.1", "won.0", "won.1"]);
}

/// 50 writers on 5 instances, 4 commands of 2 events each: every command is stored once and whole.
pub async fn concurrent_writers_lose_nothing_and_never_both_win(store: impl StoreUnderTest) {
    let mut instances = vec![store.clone()];
    for _ in 0..4 {
        instances.push(store.elsewhere().await);
    }
    let writers = (0..50).map(|writer| tokio::spawn(write(instances[writer % 5].clone(), writer, 4)));
    let mut won = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        won.extend(writer.await.unwrap());
    }
    assert_eq!(won.len(), 200);
    let events = store.events("acme/contended").await;
    let versions: Vec<_> = events.iter().map(|event| event.version).collect();
    assert_eq!(versions, (1..=400).collect::<Vec<_>>());
    let mut stored = tokens(&events);
    stored.sort();
    let mut expected: Vec<_> = won.iter().flat_map(|(name, _)| [format!("{name}.0"), format!("{name}.1")]).collect();
    expected.sort();
    assert_eq!(stored, expected);
    for (name, answer) in &won {
        let last = &events[answer.version as usize - 1];
        assert_eq!(tokens(std::slice::from_ref(last)), [format!("{name}.1")], "the answer must name its own events");
    }
    assert_eq!(store.elsewhere().await.load("acme/contended").await.state.value, 400);
}

async fn write<S: StoreUnderTest>(store: S, writer: usize, commands: usize) -> Vec<(String, Answer)> {
    let mut jitter = StdRng::seed_from_u64(writer as u64);
    let mut won = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(120);
    for command in 0..commands {
        let name = format!("w{writer}c{command}");
        for attempt in 1_u64.. {
            assert!(Instant::now() < deadline, "{name} still loses at attempt {attempt}");
            let loaded = store.load("acme/contended").await;
            match store.append(loaded.context, increments(&name, 2), &name).await {
                Ok(answer) => {
                    won.push((name, answer));
                    break;
                }
                Err(Failure::Conflict) => {
                    let pause = jitter.random_range(0..=(20 * attempt).min(400));
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Err(other) => panic!("{name}: {other:?}"),
            }
        }
    }
    won
}

pub async fn a_repeated_command_stores_nothing_and_answers_the_same(store: impl StoreUnderTest) {
    let before = store.load("acme/1").await;
    let elsewhere = store.elsewhere().await;
    let stale = elsewhere.load("acme/1").await;
    let first = store.append(before.context, increments("a", 2), "a").await.unwrap();
    let repeated = Answer { repeated: true, ..first.clone() };
    store.append(store.load("acme/1").await.context, increments("b", 1), "b").await.unwrap();

    let again = store.append(store.load("acme/1").await.context, increments("a", 2), "a").await;
    assert_eq!(again, Ok(repeated.clone()), "on the same instance");
    let again = elsewhere.append(stale.context, increments("a", 2), "a").await;
    assert_eq!(again, Ok(repeated.clone()), "on another instance that loaded before the first attempt");
    let cold = store.elsewhere().await;
    let again = cold.append(cold.load("acme/1").await.context, increments("a", 2), "a").await;
    assert_eq!(again, Ok(repeated.clone()), "on another instance with an empty cache");
    assert_eq!(store.find("acme/1", "a").await, Some(repeated));
    assert_eq!(tokens(&store.events("acme/1").await), ["a.0", "a.1", "b.0"]);
}

pub async fn a_command_is_found_however_long_ago_it_was(store: impl StoreUnderTest) {
    let mut answers = Vec::new();
    for n in 0..100 {
        let name = format!("c{n}");
        answers.push(store.append(store.load("acme/1").await.context, increments(&name, 1), &name).await.unwrap());
    }
    let elsewhere = store.elsewhere().await;
    for n in [0, 1, 50, 99] {
        let expected = Answer { repeated: true, ..answers[n].clone() };
        assert_eq!(elsewhere.find("acme/1", &format!("c{n}")).await, Some(expected), "c{n}");
    }
    assert_eq!(elsewhere.find("acme/1", "c100").await, None);
    assert_eq!(elsewhere.find("acme/2", "c1").await, None);
}

pub fn tokens(events: &[StoredEvent]) -> Vec<String> {
    let token = |event: &StoredEvent| match &event.event {
        CounterEvent::CounterIncremented { token, .. } => token.clone(),
        CounterEvent::CounterReset => "reset".to_owned(),
    };
    events.iter().map(token).collect()
}
