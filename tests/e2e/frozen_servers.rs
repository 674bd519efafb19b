//! A server that stands still and answers nothing: requests are refused soon instead of piling up, `/ready` names it, and
//! all is well again once it goes on. What does not live here: servers that are killed.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stack::Server;

use crate::api_client::Api;
use crate::platform::Platform;
use crate::wait::wait_until;

/// How long a question may take while the database stands still.
const READ_WITHIN: Duration = Duration::from_secs(4);
/// How long a change may take while the log stands still.
const CHANGE_WITHIN: Duration = Duration::from_millis(5500);
/// How soon all is well again.
const WELL_AGAIN: Duration = Duration::from_secs(20);
/// Questions at the same time.
const CROWD: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_is_named_and_nothing_piles_up_behind_it() {
    let platform = Platform::separate_roles().await;
    let api = platform.admin();
    tokio::task::block_in_place(|| {
        database_stands_still(&platform, &api);
        cache_stands_still(&platform, &api);
        log_stands_still(&platform, &api);
    });
}

fn database_stands_still(platform: &Platform, api: &Api) {
    let frozen = Frozen::new(platform, Server::Postgres);
    // The first crowd meets a platform that does not know yet, the second one that does.
    for within in [READ_WITHIN, Duration::from_secs(1)] {
        let answers = crowd(api);
        for (status, took, body) in &answers {
            assert_eq!(*status, 503, "{body}");
            assert!(*took < within, "{took:?}");
        }
        let slowest = answers.iter().map(|(_, took, _)| *took).max().unwrap();
        eprintln!("{CROWD} questions without database: the slowest was refused after {slowest:?}");
    }
    assert_ne!(readiness(platform)["checks"]["postgres"], "ok");
    assert_eq!(readiness(platform)["checks"]["nats"], "ok");
    // A change needs no database: it is stored, and says so.
    let (status, stored) = api.try_post("/api/v1/device-types", kind("Stored"));
    assert!(status == 202 && stored["stored"] == true, "{status} {stored}");
    let path = format!("/api/v1/device-types/{}", stored["id"].as_str().unwrap());
    drop(frozen);
    wait_until("what was stored is there", WELL_AGAIN, || match api.try_get(&path) {
        (200, kind) if kind["deviceType"]["name"] == "Stored" => Ok(()),
        other => Err(other),
    });
    assert!(crowd(api).iter().all(|(status, ..)| *status == 200));
}

/// Redis has limits and newest values: changes and lists need neither.
fn cache_stands_still(platform: &Platform, api: &Api) {
    let frozen = Frozen::new(platform, Server::Redis);
    let (status, made) = api.try_post("/api/v1/device-types", kind("Uncounted"));
    assert!(status == 201, "{status} {made}");
    assert_eq!(api.try_get("/api/v1/device-types").0, 200, "lists need no Redis");
    wait_until("Redis is named", WELL_AGAIN, || match &readiness(platform)["checks"]["redis"] {
        answer if answer == "ok" => Err(answer.clone()),
        _ => Ok(()),
    });
    drop(frozen);
    wait_until("Redis answers again", WELL_AGAIN, || match &readiness(platform)["checks"]["redis"] {
        answer if answer == "ok" => Ok(()),
        answer => Err(answer.clone()),
    });
}

fn log_stands_still(platform: &Platform, api: &Api) {
    let frozen = Frozen::new(platform, Server::Nats);
    for n in 0..3 {
        let began = Instant::now();
        let (status, problem) = api.try_post("/api/v1/device-types", kind(&format!("Perhaps {n}")));
        let took = began.elapsed();
        assert!(status == 503 && took < CHANGE_WITHIN, "{status} after {took:?}: {problem}");
        eprintln!("a change without log was refused after {took:?}");
    }
    assert_eq!(api.try_get("/api/v1/device-types").0, 200, "questions need no log");
    assert_ne!(readiness(platform)["checks"]["nats"], "ok");
    drop(frozen);
    wait_until("changes are possible again", WELL_AGAIN, || {
        match api.try_post("/api/v1/device-types", kind("After")) {
            (status, _) if (200..300).contains(&status) => Ok(()),
            // An earlier try was stored and its answer lost.
            (409, _) => Ok(()),
            other => Err(other),
        }
    });
}

fn kind(name: &str) -> Value {
    json!({"name": name, "metrics": [{"key": "temperature", "unit": "Cel"}]})
}

fn crowd(api: &Api) -> Vec<(u16, Duration, Value)> {
    let ask = || {
        let api = api.clone();
        thread::spawn(move || {
            let began = Instant::now();
            let (status, body) = api.try_get("/api/v1/devices");
            (status, began.elapsed(), body)
        })
    };
    let asking: Vec<_> = (0..CROWD).map(|_| ask()).collect();
    asking.into_iter().map(|one| one.join().unwrap()).collect()
}

fn readiness(platform: &Platform) -> Value {
    crate::api_client::probe(&format!("{}/ready", platform.url())).1
}

/// A server that stands still until this is dropped.
struct Frozen(Vec<String>);

impl Frozen {
    fn new(platform: &Platform, server: Server) -> Self {
        let first = platform.stack.as_ref().unwrap().pid(server).expect("it runs").to_string();
        // PostgreSQL is a process for each connection besides the first one.
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
