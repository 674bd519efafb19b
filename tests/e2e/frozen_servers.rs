//! A frozen server (SIGSTOP) that answers nothing: requests fail quickly instead of piling up, `/ready` names the
//! server, and service recovers once it resumes. Killed servers are tested in `nothing_lost_when_killed`.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stack::Server;

use crate::api_client::Api;
use crate::platform::Platform;
use crate::wait::wait_until;

/// Longest time of a query while PostgreSQL is frozen.
const READ_WITHIN: Duration = Duration::from_secs(4);
/// Longest time of a command while NATS is frozen.
const CHANGE_WITHIN: Duration = Duration::from_millis(5500);
/// Longest time until service recovers.
const RECOVERY: Duration = Duration::from_secs(20);
/// Number of concurrent queries.
const CONCURRENT_QUERIES: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_is_reported_and_requests_fail_quickly() {
    let platform = Platform::separate_roles().await;
    let api = platform.admin();
    tokio::task::block_in_place(|| {
        survives_frozen_postgres(&platform, &api);
        survives_frozen_redis(&platform, &api);
        survives_frozen_nats(&platform, &api);
    });
}

fn survives_frozen_postgres(platform: &Platform, api: &Api) {
    let frozen = Frozen::new(platform, Server::Postgres);
    // The first queries wait for the time limit; later ones fail at once because the platform knows of the failure.
    for within in [READ_WITHIN, Duration::from_secs(1)] {
        let answers = query_concurrently(api);
        for (status, took, body) in &answers {
            assert_eq!(*status, 503, "{body}");
            assert!(*took < within, "{took:?}");
        }
        let slowest = answers.iter().map(|(_, took, _)| *took).max().unwrap();
        eprintln!("{CONCURRENT_QUERIES} queries without PostgreSQL: the slowest failed after {slowest:?}");
    }
    assert_ne!(readiness(platform)["checks"]["postgres"], "ok");
    assert_eq!(readiness(platform)["checks"]["nats"], "ok");
    // A command needs no PostgreSQL: it is stored and answered with 202.
    let (status, stored) = api.try_post("/api/v1/device-types", kind("Stored"));
    assert!(status == 202 && stored["stored"] == true, "{status} {stored}");
    let path = format!("/api/v1/device-types/{}", stored["id"].as_str().unwrap());
    drop(frozen);
    wait_until("the stored device type is visible", RECOVERY, || match api.try_get(&path) {
        (200, kind) if kind["deviceType"]["name"] == "Stored" => Ok(()),
        other => Err(other),
    });
    assert!(query_concurrently(api).iter().all(|(status, ..)| *status == 200));
}

/// Redis holds rate limits and latest values; commands and lists need neither.
fn survives_frozen_redis(platform: &Platform, api: &Api) {
    let frozen = Frozen::new(platform, Server::Redis);
    let (status, created) = api.try_post("/api/v1/device-types", kind("Uncounted"));
    assert!(status == 201, "{status} {created}");
    assert_eq!(api.try_get("/api/v1/device-types").0, 200, "lists need no Redis");
    wait_until("/ready reports Redis", RECOVERY, || match &readiness(platform)["checks"]["redis"] {
        answer if answer == "ok" => Err(answer.clone()),
        _ => Ok(()),
    });
    drop(frozen);
    wait_until("Redis answers again", RECOVERY, || match &readiness(platform)["checks"]["redis"] {
        answer if answer == "ok" => Ok(()),
        answer => Err(answer.clone()),
    });
}

fn survives_frozen_nats(platform: &Platform, api: &Api) {
    let frozen = Frozen::new(platform, Server::Nats);
    for n in 0..3 {
        let began = Instant::now();
        let (status, problem) = api.try_post("/api/v1/device-types", kind(&format!("Perhaps {n}")));
        let took = began.elapsed();
        assert!(status == 503 && took < CHANGE_WITHIN, "{status} after {took:?}: {problem}");
        eprintln!("a command without NATS failed after {took:?}");
    }
    assert_eq!(api.try_get("/api/v1/device-types").0, 200, "queries need no NATS");
    assert_ne!(readiness(platform)["checks"]["nats"], "ok");
    drop(frozen);
    wait_until("commands succeed again", RECOVERY, || {
        match api.try_post("/api/v1/device-types", kind("After")) {
            (status, _) if (200..300).contains(&status) => Ok(()),
            // An earlier attempt was stored but its response was lost.
            (409, _) => Ok(()),
            other => Err(other),
        }
    });
}

fn kind(name: &str) -> Value {
    json!({"name": name, "metrics": [{"key": "temperature", "unit": "Cel"}]})
}

/// Runs concurrent queries; returns status, duration and body of each.
fn query_concurrently(api: &Api) -> Vec<(u16, Duration, Value)> {
    let spawn_query = || {
        let api = api.clone();
        thread::spawn(move || {
            let began = Instant::now();
            let (status, body) = api.try_get("/api/v1/devices");
            (status, began.elapsed(), body)
        })
    };
    let queries: Vec<_> = (0..CONCURRENT_QUERIES).map(|_| spawn_query()).collect();
    queries.into_iter().map(|query| query.join().unwrap()).collect()
}

fn readiness(platform: &Platform) -> Value {
    crate::api_client::probe(&format!("{}/ready", platform.url())).1
}

/// The process ids of a server that is stopped until this is dropped.
struct Frozen(Vec<String>);

impl Frozen {
    fn new(platform: &Platform, server: Server) -> Self {
        let first = platform.stack.as_ref().unwrap().pid(server).expect("a running server").to_string();
        // PostgreSQL has a child process per connection and background task.
        let children = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap_or_default();
        let children = children.split_whitespace().map(str::to_owned);
        let frozen = Self(std::iter::once(first.clone()).chain(children).collect());
        frozen.signal("-STOP");
        frozen
    }

    fn signal(&self, signal: &str) {
        let _ = Command::new("kill").arg(signal).args(&self.0).status();
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}
