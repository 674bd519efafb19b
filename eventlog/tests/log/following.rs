//! Followers fold everything, report their position, and report why they ended.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use eventlog::follow::Error;
use eventlog::{Follower, Log, Positions, Source, Stream, follow};
use tokio_util::sync::CancellationToken;

use crate::support;

const TIMEOUT: Duration = Duration::from_secs(10);

async fn start(
    log: &Log,
    sources: Vec<Source>,
    from: Positions,
) -> (Follower, Arc<Mutex<Vec<u64>>>, CancellationToken) {
    let folded = Arc::new(Mutex::new(Vec::new()));
    let into = folded.clone();
    let shutdown = CancellationToken::new();
    let fold = move |message: &eventlog::Message| into.lock().unwrap().push(message.sequence);
    let follower = follow(log, sources, from, fold, shutdown.clone()).await;
    (follower, folded, shutdown)
}

#[tokio::test]
async fn a_follower_folds_existing_and_new_messages() {
    let log = support::log().await;
    support::publish(&log, Stream::Es, "acme.device.7", 300).await;
    let (follower, folded, _shutdown) = start(&log, vec![Source::all(Stream::Es)], Positions::new()).await;
    follower.caught_up(TIMEOUT).await.unwrap();
    assert_eq!(*folded.lock().unwrap(), (1..=300).collect::<Vec<_>>());
    let last = support::publish(&log, Stream::Es, "acme.device.7", 1).await;
    follower.reached(Stream::Es, last, TIMEOUT).await.unwrap();
    assert_eq!((follower.position(Stream::Es), folded.lock().unwrap().len()), (301, 301));
}

#[tokio::test]
async fn a_follower_without_matching_messages_catches_up_too() {
    let log = support::log().await;
    support::publish(&log, Stream::Es, "acme.device.7", 5).await;
    let sources = vec![Source::filtered(Stream::Es, ["*.rule.>"]), Source::all(Stream::EsAlarm)];
    let (follower, folded, _shutdown) = start(&log, sources, Positions::new()).await;
    follower.caught_up(TIMEOUT).await.unwrap();
    support::publish(&log, Stream::Es, "acme.device.7", 5).await;
    follower.caught_up(TIMEOUT).await.unwrap();
    assert_eq!((follower.position(Stream::Es), follower.position(Stream::EsAlarm)), (10, 0));
    support::publish(&log, Stream::Es, "acme.rule.1", 1).await;
    follower.caught_up(TIMEOUT).await.unwrap();
    assert_eq!(*folded.lock().unwrap(), [11]);
}

#[tokio::test]
async fn a_late_follower_reports_its_position() {
    let log = support::log().await;
    support::publish(&log, Stream::Es, "acme.device.7", 2).await;
    let (follower, _, _shutdown) = start(&log, vec![Source::all(Stream::Es)], Positions::new()).await;
    follower.caught_up(TIMEOUT).await.unwrap();
    let late = follower.reached(Stream::Es, 9, Duration::from_millis(50)).await;
    assert!(matches!(late, Err(Error::Late { position: 2, wanted: 9, .. })), "{late:?}");
}

#[tokio::test]
async fn a_failed_follower_reports_its_error() {
    let log = support::log().await;
    let (follower, _, _shutdown) = start(&log, vec![Source::all(Stream::Es)], Positions::at([(Stream::Es, 7)])).await;
    let failed = follower.reached(Stream::Es, 8, TIMEOUT).await;
    assert!(matches!(failed, Err(Error::Failed(_))), "{failed:?}");
    assert!(follower.failure().is_some());
}

#[tokio::test]
async fn waiting_for_a_follower_ends_when_it_is_shut_down() {
    let log = support::log().await;
    let (follower, _, shutdown) = start(&log, vec![Source::all(Stream::Es)], Positions::new()).await;
    shutdown.cancel();
    let ended = follower.reached(Stream::Es, 1, TIMEOUT).await;
    assert!(matches!(ended, Err(Error::Shutdown)), "{ended:?}");
}
