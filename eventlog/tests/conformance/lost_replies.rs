//! Acknowledgements and requests that get lost: the store determines the outcome and never guesses it.

use std::time::{Duration, Instant};

use eventlog::store::{Appended, Error, StoreSettings};
use tokio::task::JoinHandle;

use crate::backend;
use crate::counter::increments;
use crate::fixture::{Fixture, metadata, store_settings};
use crate::proxy::Proxy;

type Appending = JoinHandle<Result<Appended, Error>>;

/// Two stores on the same data: one through a proxy that can lose traffic, one connected directly.
struct LossyPair {
    proxy: Proxy,
    lossy: Fixture,
    direct: Fixture,
}

async fn pair(append_deadline: Duration) -> LossyPair {
    let place = backend::place().await;
    let (proxy, through) = backend::proxied(&place).await;
    let direct = Fixture::open(place, store_settings()).await;
    let quick = StoreSettings { publish_timeout: Duration::from_millis(300), append_deadline, ..store_settings() };
    let lossy = Fixture::open(through, quick).await;
    // Through the proxy, so that its connection has prepared every statement and the next one is a single request.
    lossy.commit("acme/1", "before", increments("before", 1)).await;
    LossyPair { proxy, lossy, direct }
}

impl LossyPair {
    /// Starts an append of two events through the proxy.
    async fn append(&self, command: &'static str) -> Appending {
        let loaded = self.lossy.loaded("acme/1").await;
        let store = self.lossy.store.clone();
        tokio::spawn(async move { store.append(loaded, increments(command, 2), metadata(command)).await })
    }

    /// Starts an append whose acknowledgement gets lost, and waits until its events are stored.
    async fn append_with_lost_reply(&self, command: &'static str) -> Appending {
        let before = self.last().await;
        let loaded = self.lossy.loaded("acme/1").await;
        self.proxy.lose_answers();
        let store = self.lossy.store.clone();
        let task = tokio::spawn(async move { store.append(loaded, increments(command, 2), metadata(command)).await });
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.last().await == before {
            assert!(Instant::now() < deadline, "nothing was stored");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        task
    }

    async fn last(&self) -> u64 {
        self.direct.last().await
    }

    /// Returns the command ids of the aggregate's messages, in order.
    async fn stored(&self) -> Vec<String> {
        let messages = self.direct.store.messages("acme", "1").await.unwrap();
        eventlog::store::verify_chain(&messages).unwrap();
        let command = |message| {
            let events = eventlog::decode_events(message, &eventlog::Upcasters::none()).unwrap();
            events[0].metadata["command_id"].clone()
        };
        messages.iter().map(command).collect()
    }
}

const LONG_DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_acknowledgement_is_resolved_without_a_duplicate() {
    let pair = pair(LONG_DEADLINE).await;
    let task = pair.append_with_lost_reply("mine").await;
    pair.proxy.heal();
    let appended = task.await.unwrap().unwrap();
    assert_eq!((appended.position, appended.version, appended.repeated), (pair.last().await, 3, false));
    assert_eq!(pair.stored().await, ["before", "mine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_acknowledgement_is_resolved_even_behind_later_commands() {
    let pair = pair(LONG_DEADLINE).await;
    let task = pair.append_with_lost_reply("mine").await;
    let mine = pair.last().await;
    for later in ["later", "latest"] {
        pair.direct.commit("acme/1", later, increments(later, 1)).await;
    }
    pair.proxy.heal();
    let appended = task.await.unwrap().unwrap();
    assert_eq!((appended.position, appended.version, appended.repeated), (mine, 3, false));
    assert_eq!(pair.stored().await, ["before", "mine", "later", "latest"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_request_is_retried() {
    let pair = pair(LONG_DEADLINE).await;
    let loaded = pair.lossy.loaded("acme/1").await;
    pair.proxy.lose_requests();
    let store = pair.lossy.store.clone();
    let task = tokio::spawn(async move { store.append(loaded, increments("mine", 2), metadata("mine")).await });
    pair.proxy.lost_requests(2).await;
    assert_eq!(pair.stored().await, ["before"]);
    pair.proxy.heal();
    assert_eq!(task.await.unwrap().unwrap().version, 3);
    assert_eq!(pair.stored().await, ["before", "mine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_request_that_another_command_overtook_is_a_conflict() {
    let pair = pair(LONG_DEADLINE).await;
    let loaded = pair.lossy.loaded("acme/1").await;
    pair.proxy.lose_requests();
    let store = pair.lossy.store.clone();
    let task = tokio::spawn(async move { store.append(loaded, increments("mine", 2), metadata("mine")).await });
    pair.proxy.lost_requests(1).await;
    pair.direct.commit("acme/1", "theirs", increments("theirs", 1)).await;
    pair.proxy.heal();
    let error = task.await.unwrap().unwrap_err();
    assert!(error.is_conflict(), "{error:?}");
    assert_eq!(pair.stored().await, ["before", "theirs"]);
    let again = pair.append("mine").await.await.unwrap().unwrap();
    assert_eq!((again.version, again.repeated), (4, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_reported_and_repeating_the_command_finds_it() {
    let pair = pair(Duration::from_secs(1)).await;
    let task = pair.append_with_lost_reply("mine").await;
    let error = task.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error:?}");
    pair.proxy.heal();
    let deadline = Instant::now() + Duration::from_secs(20);
    let again = loop {
        let repeat = match pair.lossy.store.load("acme", "1").await {
            Ok(loaded) => pair.lossy.store.append(loaded, increments("mine", 2), metadata("mine")).await,
            Err(error) => Err(error),
        };
        match repeat {
            Ok(again) => break again,
            Err(error) => assert!(Instant::now() < deadline, "{error:?}"),
        }
    };
    assert_eq!((again.position, again.version, again.repeated), (pair.last().await, 3, true));
    assert_eq!(pair.stored().await, ["before", "mine"]);
}
