//! Oversized messages and unreachable servers: a specific error, and nothing is stored.

use eventlog::store::Error;

use crate::backend;
use crate::counter::{CounterEvent, increments};
use crate::fixture::{Fixture, metadata, store, store_settings};

pub fn large(bytes: usize) -> Vec<CounterEvent> {
    vec![CounterEvent::CounterIncremented { by: 1, token: "x".repeat(bytes) }]
}

#[tokio::test]
async fn a_command_too_large_for_one_message_is_refused_as_a_whole() {
    let store = store().await;
    let error = store.store.append(store.loaded("acme/1").await, large(600_000), metadata("a")).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { bytes, limit: 524_288 } if bytes > 600_000), "{error:?}");
    let many = increments("many", 5_000);
    let error = store.store.append(store.loaded("acme/1").await, many, metadata("a")).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    assert_eq!(store.loaded("acme/1").await.version, 0);
    let loaded = store.loaded("acme/1").await;
    assert_eq!(store.store.append(loaded, large(400_000), metadata("a")).await.unwrap().version, 1);
}

#[tokio::test]
async fn an_unreachable_server_is_reported_as_unavailable() {
    let (proxy, mut through) = backend::proxied(&backend::place().await).await;
    through.settings.request_timeout = std::time::Duration::from_millis(300);
    let through = Fixture::open(through, store_settings()).await;
    proxy.lose_answers();
    let error = through.store.load("acme", "1").await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
}
