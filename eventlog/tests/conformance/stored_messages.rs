//! The stored messages: one per command, chained, with contiguous versions, upcast when read.

use cqrs_es::{CqrsFramework, EventStore};
use eventlog::store::{Damage, Digest, Error, verify_chain, verify_chain_since};
use eventlog::{Stream, Upcasters, decode_events};

use crate::counter::{Counter, CounterEvent, Increment, increments};
use crate::fixture::{metadata, store, store_settings};

#[tokio::test]
async fn the_events_of_one_command_are_one_message() {
    let store = store().await;
    let first = store.commit("acme/1", "a", increments("a", 5)).await;
    store.commit("acme/1", "b", increments("b", 2)).await;
    let messages = store.store.messages("acme", "1").await.unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!((messages[0].stream, messages[0].subject.as_str()), (Stream::Es, "es.acme.counter.1"));
    assert_eq!(messages[0].sequence, first.position);
    let events = decode_events(&messages[0], &Upcasters::none()).unwrap();
    let places: Vec<_> = events.iter().map(|e| (e.index, e.sequence, e.event_id)).collect();
    let answered: Vec<_> = (0..).zip(&first.events).map(|(i, e)| (i, e.sequence, e.event_id)).collect();
    assert_eq!(places, answered);
    assert!(events.iter().all(|event| event.metadata["actor"] == "tester"));
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_on_the_store_and_applies_each_event_once() {
    let store = store().await;
    let framework = CqrsFramework::<Counter, _>::new(store.store.clone(), vec![], ());
    for n in 0..5 {
        let command = Increment { by: 1, tokens: vec![format!("t{n}"), format!("u{n}")] };
        framework.execute_with_metadata("acme/1", command, metadata(&format!("c{n}"))).await.unwrap();
    }
    let loaded = store.store.load_aggregate("acme/1").await.unwrap();
    assert_eq!((loaded.state, loaded.version), (Counter { value: 10, events: 10 }, 10));
    let events = store.store.load_events("acme/1").await.unwrap();
    assert_eq!(events.iter().map(|e| e.sequence).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    let malformed = store.store.load_aggregate("acme").await;
    assert!(matches!(malformed, Err(cqrs_es::AggregateError::UnexpectedError(_))));
}

#[tokio::test]
async fn the_hash_chain_of_stored_messages_verifies_and_tampered_copies_fail() {
    let store = store().await;
    for n in 0..6 {
        store.commit("acme/1", &format!("c{n}"), increments(&format!("c{n}"), 2)).await;
    }
    let messages = store.store.messages("acme", "1").await.unwrap();
    let head = verify_chain(&messages).unwrap();
    let loaded = store.store.load_fresh("acme", "1").await.unwrap();
    assert_eq!((head.version, head.position, head.hash), (12, loaded.position, loaded.last_hash));
    assert_eq!(head.hash, Digest::of(&messages[5].payload));

    let damage = |tamper: &dyn Fn(&mut Vec<eventlog::Message>)| {
        let mut copy = messages.clone();
        tamper(&mut copy);
        verify_chain_since(&copy, &head).map_err(|broken| (broken.position, broken.damage))
    };
    let at = |n: usize| messages[n].sequence;
    assert_eq!(damage(&|_| ()), Ok(head));
    let change = |copy: &mut Vec<eventlog::Message>| {
        copy[2].payload = String::from_utf8(copy[2].payload.to_vec()).unwrap().replace("\"by\":1", "\"by\":2").into();
    };
    assert_eq!(damage(&change), Err((at(2), Damage::Changed)));
    assert_eq!(damage(&|copy| drop(copy.remove(3))), Err((at(4), Damage::Missing)));
    assert_eq!(damage(&|copy| copy.swap(1, 2)), Err((at(2), Damage::Reordered)));
    assert_eq!(damage(&|copy| copy.truncate(4)), Err((at(5), Damage::Missing)));
}

#[tokio::test]
async fn an_old_event_is_upcast_when_read() {
    let store = store().await;
    let old = r#"[{"event_id":"00000000-0000-0000-0000-000000000001","sequence":1,"event_type":"CounterIncremented",
        "event_version":"0.1.0","payload":{"amount":7},"metadata":{"command_id":"old"}}]"#;
    store.plant("acme.counter.1", old).await;
    let unread = store.store.load("acme", "1").await;
    assert!(matches!(unread, Err(Error::Decode { position: 1, .. })), "{unread:?}");

    let upcasters = Upcasters::new(vec![Upcasters::step(
        "CounterIncremented",
        "1.0.0",
        |old| serde_json::json!({"by": old["amount"], "token": "unknown"}),
    )]);
    let today = store.over(upcasters, store_settings());
    let loaded = today.load("acme", "1").await.unwrap();
    assert_eq!(loaded.state, Counter { value: 7, events: 1 });
    today.append(loaded, increments("new", 1), metadata("new")).await.unwrap();
    let events = today.events("acme", "1").await.unwrap();
    let upcast = CounterEvent::CounterIncremented { by: 7, token: "unknown".into() };
    assert_eq!(
        events.iter().map(|e| e.payload.clone()).collect::<Vec<_>>(),
        [vec![upcast], increments("new", 1)].concat()
    );
    let messages = today.messages("acme", "1").await.unwrap();
    assert_eq!(messages[0].payload, old.as_bytes(), "the log keeps the original bytes");
    let link = &events[1].metadata["previous_hash"];
    assert_eq!(*link, Digest::of(old.as_bytes()).to_string(), "the chain is over the stored bytes");
}

#[tokio::test]
async fn a_gap_between_versions_is_an_error_and_never_a_state() {
    let store = store().await;
    let appended = store.commit("acme/1", "a", increments("a", 2)).await;
    let envelope = |version: u64| {
        format!(
            r#"[{{"event_id":"00000000-0000-0000-0000-000000000001","sequence":{version},"event_type":"CounterReset",
            "event_version":"1.0.0","payload":null,"metadata":{{}}}}]"#
        )
    };
    store.plant("acme.counter.1", &envelope(4)).await;
    let expected = |error: &Error| matches!(error, Error::Gap { after: 2, found: 4, position, .. } if *position == appended.position + 1);
    let results = [
        store.store.load("acme", "1").await.map(drop),
        store.store.load_fresh("acme", "1").await.map(drop),
        store.store.events("acme", "1").await.map(drop),
        store.store.find_command("acme", "1", "none").await.map(drop),
    ];
    for result in results {
        let error = result.unwrap_err();
        assert!(expected(&error), "{error:?}");
    }
    store.plant("acme.counter.2", &envelope(2)).await;
    assert!(matches!(store.store.load("acme", "2").await, Err(Error::Gap { after: 0, found: 2, .. })));
}

#[tokio::test]
async fn messages_not_written_by_the_store_are_not_read_as_events() {
    let store = store().await;
    for (id, payload) in [("empty", "[]"), ("text", "hello"), ("object", "{}")] {
        store.plant(&format!("acme.counter.{id}"), payload).await;
        let read = store.store.load("acme", id).await;
        assert!(matches!(read, Err(Error::Decode { .. })), "{id}: {read:?}");
    }
    let named: Result<_, Error> = store.store.load("acme", "a.b").await;
    assert!(matches!(named, Err(Error::Name { .. })));
}

#[tokio::test]
async fn changing_the_loaded_state_before_appending_has_no_effect() {
    let store = store().await;
    let mut loaded = store.loaded("acme/1").await;
    loaded.state = Counter { value: 99, events: 99 };
    store.store.append(loaded, increments("a", 1), metadata("a")).await.unwrap();
    assert_eq!(store.loaded("acme/1").await.state, Counter { value: 1, events: 1 });
}
