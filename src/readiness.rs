//! What each role reports on `/ready`: the servers it needs, streams that are nearly full, and figures from its
//! metrics.

use std::sync::Arc;

use eventlog::{Log, Stream};
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusHandle;
use projections::Reader;
use serving::probes::{Dependency, Fact, Probe};

use crate::wiring::Role;

/// A stream above this part of its size limit is reported as a warning.
const NEARLY_FULL: f64 = 0.8;

/// Returns the probe of a role; `reader` where the role needs PostgreSQL and Redis.
pub fn probe(role: Role, log: &Log, reader: Option<Reader>, metrics: PrometheusHandle) -> Probe {
    let pinged = log.clone();
    let mut dependencies = vec![Dependency::new("nats", move || {
        let log = pinged.clone();
        async move { log.ping().await }
    })];
    if let Some(reader) = reader {
        let (postgres, redis) = (reader.clone(), reader);
        dependencies.push(Dependency::new("postgres", move || {
            let reader = postgres.clone();
            async move { reader.ping_database().await }
        }));
        dependencies.push(Dependency::new("redis", move || {
            let reader = redis.clone();
            async move { reader.ping_redis().await }
        }));
    }
    let log = log.clone();
    Probe {
        dependencies,
        warnings: Arc::new(move || Box::pin(nearly_full(log.clone()))),
        metrics: Arc::new(move || metrics.render()),
        facts: facts(role),
    }
}

/// Returns a warning for each stream that is nearly full. Streams whose state cannot be read are left out: the NATS
/// check reports what is wrong with them.
async fn nearly_full(log: Log) -> Vec<String> {
    let asking = Stream::ALL.map(|stream| {
        let log = &log;
        async move {
            let fullness = log.state(stream).await.ok()?.fullness();
            (fullness > NEARLY_FULL).then(|| format!("stream {stream} is {:.0} % full", fullness * 100.0))
        }
    });
    join_all(asking).await.into_iter().flatten().collect()
}

/// Returns the figures that a role reports beside the servers it needs.
fn facts(role: Role) -> &'static [Fact] {
    const DIRECTORY: Fact =
        Fact { name: "directory_lag_seconds", metric: ingest::metric_names::DIRECTORY_LAG_SECONDS, most: Some(5.0) };
    const SESSIONS: Fact = Fact { name: "sessions", metric: ingest::metric_names::SESSIONS, most: None };
    const OWNED: Fact = Fact { name: "owned_partitions", metric: eventlog::metric_names::OWNED_PARTITIONS, most: None };
    const MEMBERS: Fact = Fact { name: "members", metric: eventlog::metric_names::MEMBERS, most: None };
    const LAG: Fact = Fact { name: "lag_messages", metric: eventlog::metric_names::CONSUMER_LAG, most: None };
    match role {
        Role::Api => &[],
        Role::Ingest | Role::Bridge => &[DIRECTORY, SESSIONS, MEMBERS],
        Role::Process => &[OWNED, MEMBERS, LAG],
        Role::Project => &[LAG],
    }
}
