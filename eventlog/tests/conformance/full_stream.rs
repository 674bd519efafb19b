//! A full stream: commands get a specific error, nothing is stored, and it stays readable.

use eventlog::store::{Error, verify_chain};
use eventlog::{Stream, StreamSizes};

use crate::backend;
use crate::counter::Counter;
use crate::fixture::{Fixture, metadata, store_settings};
use crate::limits::large;
use crate::suite::StoreUnderTest;

#[tokio::test]
async fn a_full_stream_refuses_commands_with_its_own_error_and_stays_readable() {
    let mut place = backend::place().await;
    let sizes = StreamSizes { domain_bytes: 256 * 1024, ..StreamSizes::small() };
    place.settings = place.settings.with_sizes(sizes);
    let store = Fixture::open(place, store_settings()).await;
    let mut stored = 0;
    let error = loop {
        let name = format!("c{stored}");
        let loaded = store.loaded("acme/1").await;
        match store.store.append(loaded, large(20_000), metadata(&name)).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 100, "the stream never fills up");
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
    assert!(repeated.repeated, "a stored command is still recognised");
}
