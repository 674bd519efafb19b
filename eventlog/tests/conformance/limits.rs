//! A stream that is full and messages that are too large: refused by name, with nothing stored.

use eventlog::store::{Error, verify_chain};
use eventlog::{Stream, StreamSizes};

use crate::counter::{Counter, CounterEvent, increments};
use crate::jetstream::{JetStream, metadata, store, store_settings};
use crate::suite::StoreUnderTest;

fn large(bytes: usize) -> Vec<CounterEvent> {
    vec![CounterEvent::CounterIncremented { by: 1, token: "x".repeat(bytes) }]
}

#[tokio::test]
async fn a_full_stream_refuses_commands_by_name_and_stays_readable() {
    let settings = crate::support::space().await;
    let sizes = StreamSizes { domain_bytes: 256 * 1024, ..StreamSizes::small() };
    let store = JetStream::open(settings.with_sizes(sizes), store_settings()).await;
    let mut stored = 0;
    let error = loop {
        let name = format!("c{stored}");
        let loaded = store.loaded("acme/1").await;
        match store.store.append(loaded, large(20_000), metadata(&name)).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 100, "the stream is never full");
    };
    assert!(matches!(error, Error::Full { stream: Stream::Es, .. }), "{error:?}");
    assert!(stored > 5, "{stored}");
    let loaded = store.store.load_fresh("acme", "1").await.unwrap();
    assert_eq!(loaded.state, Counter { value: stored, events: stored as u64 });
    let messages = store.store.messages("acme", "1").await.unwrap();
    assert_eq!(verify_chain(&messages).unwrap().version, stored as u64);
    let refused = format!("c{stored}");
    assert_eq!(store.find("acme/1", &refused).await, None);
    let repeated = store.store.append(loaded, large(20_000), metadata(&format!("c{}", stored - 1))).await.unwrap();
    assert!(repeated.repeated, "what is stored is still answered");
}

#[tokio::test]
async fn a_command_too_large_for_one_message_is_refused_whole() {
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
async fn a_server_that_is_gone_is_unavailable() {
    let store = store().await;
    let proxy = crate::proxy::Proxy::before(&store.settings.url).await;
    let mut settings = eventlog::Settings { url: proxy.url(), ..store.settings.clone() };
    settings.request_timeout = std::time::Duration::from_millis(300);
    let through = JetStream::open(settings, store_settings()).await;
    proxy.lose_answers();
    let error = through.store.load("acme", "1").await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
}
