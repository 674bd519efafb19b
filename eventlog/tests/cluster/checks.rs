//! Compares what was acknowledged with what is stored: nothing lost, nothing duplicated, hash chains intact, and
//! commands answered again soon.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eventlog::store::verify_chain;
use eventlog::{BucketName, Log, Stream, Upcasters, decode_events};

use crate::load::Ended;
use crate::test_cluster::until;

/// Maximum time without an answered command when nodes stop gracefully: they hand over their leaderships.
pub const ANSWERED_AGAIN: Duration = Duration::from_secs(5);
/// The same when a leader dies abruptly. Its followers wait 4 to 9 s before they elect another one (hard-coded in
/// nats-server, `raft.go`); the rest is our own share.
pub const ANSWERED_AFTER_ELECTION: Duration = Duration::from_secs(11);

/// Compares everything; returns the longest time between two answered commands.
pub async fn assert_nothing_lost_or_duplicated(log: &Log, ended: &Ended) -> Duration {
    packs(log, ended).await;
    commands(ended).await;
    let counted = log.bucket(BucketName::StageState).await.unwrap().get("count").await.unwrap().unwrap().0;
    assert_eq!(counted, ended.counted.to_string(), "the stored count differs from the writer's");
    let longest = longest_gap(ended);
    let (items, commands) =
        (ended.acknowledged.stored.lock().unwrap().len(), ended.acknowledged.commands.lock().unwrap().len());
    eprintln!("{items} items, {commands} commands, count {}; longest wait for an answer {longest:?}", ended.counted);
    longest
}

async fn packs(log: &Log, ended: &Ended) {
    let last = log.last_sequence(Stream::TelemetryRaw).await.unwrap();
    let mut messages = Vec::new();
    // A returning replica may answer before it has caught up.
    for _ in 0..100 {
        messages = log.read_subject(Stream::TelemetryRaw, "0", 1).await.unwrap();
        if messages.last().map(|message| message.sequence) == Some(last) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut places: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for message in &messages {
        for item in serde_json::from_slice::<Vec<u32>>(&message.payload).unwrap() {
            places.entry(item).or_default().push(message.sequence);
        }
    }
    let (stored, refused) = (ended.acknowledged.stored.lock().unwrap(), ended.acknowledged.refused.lock().unwrap());
    assert_eq!(stored.len() + refused.len(), ended.pushed as usize, "an item did not get exactly one outcome");
    assert!(stored.len() > 500, "only {} items were stored", stored.len());
    for (item, sequence) in stored.iter() {
        assert_eq!(places.get(item), Some(&vec![*sequence]), "item {item}");
    }
    let every: Vec<u64> = (1..=last).collect();
    let read = ended.acknowledged.read.lock().unwrap();
    assert_eq!(*read, every, "the reader did not receive each message once and in order");
}

async fn commands(ended: &Ended) {
    let answers = std::mem::take(&mut *ended.acknowledged.commands.lock().unwrap());
    let names: BTreeSet<_> = answers.iter().map(|(name, ..)| name.clone()).collect();
    for name in names {
        let ours: BTreeMap<_, _> =
            answers.iter().filter(|(of, ..)| *of == name).map(|(_, command, answer, _)| (command, answer)).collect();
        let (store, expected) = (&ended.store, ours.len());
        until(20, "all commands are on all replicas", || async {
            store.messages("acme", &name).await.is_ok_and(|messages| messages.len() >= expected)
        })
        .await;
        let messages = store.messages("acme", &name).await.unwrap();
        verify_chain(&messages).unwrap();
        assert_eq!(messages.len(), expected, "{name} has a duplicate command, or one that was never acknowledged");
        for message in &messages {
            let events = decode_events(message, &Upcasters::none()).unwrap();
            let answer = ours.get(&events[0].metadata["command_id"]).expect("an acknowledged command");
            assert_eq!((answer.position, answer.version), (message.sequence, events[events.len() - 1].sequence));
        }
    }
    *ended.acknowledged.commands.lock().unwrap() = answers;
}

fn longest_gap(ended: &Ended) -> Duration {
    let answers = ended.acknowledged.commands.lock().unwrap();
    let mut times: Vec<_> = answers.iter().map(|(.., at)| *at).collect();
    times.push(ended.started);
    times.sort();
    times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}
