//! Is the process alive, can it serve, what does it measure. What does not live here: metrics themselves.

use std::future::Future;
use std::time::Duration;

use eventlog::Stream;
use poem::http::StatusCode;
use poem::web::{Data, Json};
use poem::{IntoResponse, Response, handler};
use serde_json::{Value, json};

use crate::refusals::chain;
use crate::state::State;

/// How long each server may take to answer.
const DEADLINE: Duration = Duration::from_secs(2);

/// From this part of its limit on, a stream is worth a warning.
const NEARLY_FULL: f64 = 0.8;

/// The process is alive.
#[handler]
pub fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// The servers behind the API answer; 503 names those that do not.
#[handler]
pub async fn ready(Data(state): Data<&State>) -> Response {
    let log = check(async { state.log.ping().await.map_err(|error| chain(&error)) });
    let asked = async { state.reader.position("ready", Stream::Es).await };
    let postgres = check(async { asked.await.map(drop).map_err(|error| chain(&error)) });
    let (log, postgres, redis, warnings) = tokio::join!(log, postgres, check(redis(state)), warnings(state));
    let ready = log.is_none() && postgres.is_none() && redis.is_none();
    // Both are asked by one call: without Postgres nothing is known of Redis.
    let redis = if postgres.is_some() { Some("not known without postgres".to_owned()) } else { redis };
    let word = |failure: &Option<String>| failure.clone().unwrap_or_else(|| "ok".to_owned());
    let body = json!({
        "status": if ready { "ready" } else { "not ready" },
        "checks": {"nats": word(&log), "postgres": word(&postgres), "redis": word(&redis)},
        "warnings": warnings,
    });
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Json(body).with_status(status).into_response()
}

/// The process's metrics, as Prometheus text.
#[handler]
pub fn metrics(Data(state): Data<&State>) -> Response {
    Response::builder().content_type("text/plain; version=0.0.4").body((state.metrics)())
}

async fn check(asking: impl Future<Output = Result<(), String>>) -> Option<String> {
    match tokio::time::timeout(DEADLINE, asking).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(_) => Some(format!("does not answer within {} s", DEADLINE.as_secs())),
    }
}

/// Asks Postgres and Redis; a failure of the former is not the latter's.
async fn redis(state: &State) -> Result<(), String> {
    match state.reader.ping().await {
        Err(error @ projections::Error::Redis(_)) => Err(chain(&error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn warnings(state: &State) -> Vec<String> {
    let asking = futures_util::future::join_all(Stream::ALL.map(|stream| async move {
        let fullness = state.log.state(stream).await.ok()?.fullness();
        (fullness > NEARLY_FULL).then(|| format!("stream {stream} is {:.0} % full", fullness * 100.0))
    }));
    let found = tokio::time::timeout(DEADLINE, asking).await.unwrap_or_default();
    found.into_iter().flatten().collect()
}
