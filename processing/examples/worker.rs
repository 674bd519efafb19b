//! Runs all stages in a separate process, for tests that kill it: `worker NATS-URL STREAM-PREFIX NAME MASTER-KEY`. Its
//! wall clock is fixed at the start time of the tests; stages take time from the log.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use certs::{MasterKey, RootAuthority};
use chrono::DateTime;
use commands::{Commands, Keys};
use eventlog::{Log, Settings, StreamSizes};
use processing::stage::Timing;
use processing::{Config, Deps, StageName};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    let [url, prefix, name, master]: [String; 4] = std::env::args().skip(1).collect::<Vec<_>>().try_into().unwrap();
    let now = DateTime::from_timestamp_millis(1_795_424_700_000).unwrap();
    let settings = Settings::new(url).with_prefix(prefix).with_sizes(StreamSizes::small());
    let log = Log::connect(settings).await.unwrap();
    let keys = Keys::new(MasterKey::parse(&master).unwrap(), RootAuthority::create("Test root CA", now).unwrap());
    let commands = Commands::open(log.clone(), keys, Arc::new(move || now)).await.unwrap();
    let timing = Timing { snapshot_every: Duration::from_millis(60), linger: Some(Duration::from_millis(5)) };
    let config = Config { stages: StageName::ALL.to_vec(), timing, ..Config::new(name) };
    let deps = Deps { log, commands, clock: Arc::new(move || now) };
    processing::run(deps, config, CancellationToken::new()).await.unwrap();
}
