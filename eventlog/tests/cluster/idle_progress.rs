//! Filtered readers of a replicated stream, whose servers may each know a different end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use eventlog::{Headers, Positions, Publisher, PublisherSettings, Source, Stream, follow};
use tokio_util::sync::CancellationToken;

use crate::test_cluster::TestCluster;

const TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filtered_readers_skip_foreign_messages_but_never_their_own() {
    let world = TestCluster::start(3).await;
    let publisher = Publisher::new(&world.log, PublisherSettings::default());
    let publish = async |tail: &str, count: usize| {
        let mut last = 0;
        for _ in 0..count {
            last = publisher.publish(Stream::Es, tail, Headers::new(), Bytes::from_static(b"x")).await.unwrap();
        }
        last
    };
    publish("acme.device.7", 20).await;
    // Several followers, because the cluster places each one's consumer on a server of its choice.
    let shutdown = CancellationToken::new();
    let mut followers = Vec::new();
    for _ in 0..6 {
        let folded = Arc::new(Mutex::new(Vec::new()));
        let into = folded.clone();
        let sources = vec![Source::filtered(Stream::Es, ["*.rule.>", "*.link.>"])];
        let fold = move |message: &eventlog::Message| into.lock().unwrap().push(message.sequence);
        followers.push((follow(&world.log, sources, Positions::new(), fold, shutdown.clone()).await, folded));
    }
    let rule = publish("acme.rule.1", 1).await;
    let last = publish("acme.device.7", 20).await;
    for (follower, folded) in &followers {
        follower.reached(Stream::Es, last, TIMEOUT).await.unwrap();
        assert_eq!(*folded.lock().unwrap(), [rule]);
    }
    shutdown.cancel();
}
