//! A cluster per test, one at a time: a small machine cannot run two.

use std::future::Future;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use eventlog::{Log, Settings, Stream, StreamSizes};
use stack::{Cluster, ClusterOptions};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

pub struct TestCluster {
    pub cluster: Cluster,
    pub log: Log,
    // Declared after the cluster, so that the nodes stop before their folder is deleted.
    _folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl TestCluster {
    /// Starts three nodes and declares the streams with this number of replicas.
    pub async fn start(replicas: usize) -> TestCluster {
        let turn = ONE_AT_A_TIME.lock().await;
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::start(ClusterOptions::new(folder.path())).await.unwrap();
        let log = Log::connect(settings(&cluster, replicas)).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        // To the node that places the streams, another one may still be offline.
        while let Err(error) = log.declare_streams().await {
            assert!(Instant::now() < deadline, "{error:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        TestCluster { cluster, log, _folder: folder, _turn: turn }
    }

    /// Returns the node that leads a stream, waiting until there is one.
    pub async fn leader(&self, stream: Stream) -> usize {
        let client = async_nats::connect(addresses(&self.cluster)).await.unwrap();
        let context = jetstream::new(client);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            assert!(Instant::now() < deadline, "{stream} has no leader");
            if let Ok(stream) = context.get_stream(stream.name()).await
                && let Some(name) = stream.cached_info().cluster.as_ref().and_then(|group| group.leader.clone())
            {
                return self.cluster.number(&name).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

pub fn settings(cluster: &Cluster, replicas: usize) -> Settings {
    let mut settings = Settings::new(cluster.url()).with_sizes(StreamSizes::small());
    settings.replicas = replicas;
    settings
}

pub fn addresses(cluster: &Cluster) -> Vec<String> {
    cluster.url().split(',').map(str::to_owned).collect()
}

/// Polls a condition until it holds, for at most `seconds`.
pub async fn until<F: Future<Output = bool>>(seconds: u64, what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !holds().await {
        assert!(Instant::now() < deadline, "timed out after {seconds} s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
