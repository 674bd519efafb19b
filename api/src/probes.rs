//! Is a process alive, can it do its work, what does it measure: the same answers for every role, on the API's port or on
//! one of their own. What does not live here: the metrics themselves, and what a role needs (the composition root).

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use eventlog::{Log, Stream};
use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::web::{Data, Json};
use poem::{EndpointExt, IntoResponse, Response, Route, handler};
use projections::Reader;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::error_mapping::chain;
use crate::server::{Listen, listen};

/// How long each server may take to answer.
const DEADLINE: Duration = Duration::from_secs(2);

/// From this part of its limit on, a stream is worth a warning.
const NEARLY_FULL: f64 = 0.8;

/// How long questions under way may take when the process stops.
const DRAIN: Duration = Duration::from_secs(1);

/// What a process is asked about.
#[derive(Clone)]
pub struct Probe {
    /// The log, which every role needs.
    pub log: Log,
    /// PostgreSQL and Redis, where the role needs them.
    pub reader: Option<Reader>,
    /// Renders the process's metrics as Prometheus text.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// What the role tells of itself.
    pub facts: &'static [Fact],
}

/// Something that a role tells of itself, taken from its metrics.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// What it is called in the answer.
    pub name: &'static str,
    /// The metric.
    pub metric: &'static str,
    /// The most it may be for the role to be ready, where there is such a thing.
    pub most: Option<f64>,
}

/// Serves `/health`, `/ready` and `/metrics` alone until `shutdown`.
pub async fn serve(address: SocketAddr, probe: Probe, shutdown: CancellationToken) -> Result<(), Error> {
    let acceptor = TcpAcceptor::from_std(listen(Listen::Address(address))?).map_err(Error::Listener)?;
    let app = routes(Route::new(), probe);
    let server = poem::Server::new_with_acceptor(acceptor).name("probe");
    server.run_with_graceful_shutdown(app, shutdown.cancelled_owned(), Some(DRAIN)).await.map_err(Error::Serve)
}

/// Adds the three paths to a map.
pub(crate) fn routes(map: Route, probe: Probe) -> Route {
    map.at("/health", poem::get(health))
        .at("/ready", poem::get(ready).data(probe.clone()))
        .at("/metrics", poem::get(metrics).data(probe))
}

/// The process is alive.
#[handler]
fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// The servers that the role needs answer, and what it tells of itself is within its limits; 503 names what is not.
#[handler]
async fn ready(Data(probe): Data<&Probe>) -> Response {
    let log = check(async { probe.log.ping().await.map_err(|error| chain(&error)) });
    let (log, servers, warnings) = tokio::join!(log, read_models(probe), warnings(&probe.log));
    let facts = facts(probe.facts, &(probe.metrics)());
    let mut checks: BTreeMap<&str, Option<String>> = BTreeMap::from([("nats", log)]);
    checks.extend(servers);
    checks.extend(probe.facts.iter().filter_map(|fact| Some((fact.name, Some(over(fact, facts.get(fact.name)?)?)))));
    let is_ready = checks.values().all(Option::is_none);
    let checks: Map<String, Value> = checks
        .into_iter()
        .map(|(name, failure)| (name.to_owned(), failure.unwrap_or_else(|| "ok".to_owned()).into()))
        .collect();
    let status = if is_ready { "ready" } else { "not ready" };
    let body = json!({"status": status, "version": env!("CARGO_PKG_VERSION"), "checks": checks, "facts": facts, "warnings": warnings});
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Json(body).with_status(status).into_response()
}

/// The process's metrics, as Prometheus text.
#[handler]
fn metrics(Data(probe): Data<&Probe>) -> Response {
    Response::builder().content_type("text/plain; version=0.0.4").body((probe.metrics)())
}

async fn check(asking: impl Future<Output = Result<(), String>>) -> Option<String> {
    match tokio::time::timeout(DEADLINE, asking).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(_) => Some(format!("does not answer within {} s", DEADLINE.as_secs())),
    }
}

async fn read_models(probe: &Probe) -> Vec<(&'static str, Option<String>)> {
    let Some(reader) = &probe.reader else { return Vec::new() };
    let postgres = check(async { reader.ping_database().await.map_err(|error| chain(&error)) });
    let redis = check(async { reader.ping_redis().await.map_err(|error| chain(&error)) });
    let (postgres, redis) = tokio::join!(postgres, redis);
    vec![("postgres", postgres), ("redis", redis)]
}

async fn warnings(log: &Log) -> Vec<String> {
    let asking = futures_util::future::join_all(Stream::ALL.map(|stream| async move {
        let fullness = log.state(stream).await.ok()?.fullness();
        (fullness > NEARLY_FULL).then(|| format!("stream {stream} is {:.0} % full", fullness * 100.0))
    }));
    let found = tokio::time::timeout(DEADLINE, asking).await.unwrap_or_default();
    found.into_iter().flatten().collect()
}

/// Takes the facts out of metrics as Prometheus text: a number, or numbers by the values of their labels.
fn facts(wanted: &[Fact], text: &str) -> Map<String, Value> {
    let mut found = Map::new();
    for fact in wanted {
        let series = text.lines().filter_map(|line| series(line.strip_prefix(fact.metric)?));
        let series: Vec<(String, f64)> = series.collect();
        let told = match series.as_slice() {
            [] => continue,
            [(labels, value)] if labels.is_empty() => json!(value),
            several => {
                several.iter().map(|(labels, value)| (labels.clone(), json!(value))).collect::<Map<_, _>>().into()
            }
        };
        found.insert(fact.name.to_owned(), told);
    }
    found
}

/// Reads what stands behind a metric's name: `{stage="a",of="b"} 1.5` is 1.5 of `a/b`.
fn series(rest: &str) -> Option<(String, f64)> {
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => rest.rsplit_once("} ")?,
        None => ("", rest.strip_prefix(' ')?),
    };
    let labels: Vec<&str> = labels.split('"').skip(1).step_by(2).collect();
    Some((labels.join("/"), value.trim().parse().ok()?))
}

/// Says that a fact is beyond its limit, if it is.
fn over(fact: &Fact, told: &Value) -> Option<String> {
    let most = fact.most?;
    // Infinity has no number in JSON, and is beyond every limit.
    let value = told.as_f64().unwrap_or(f64::INFINITY);
    (value > most).then(|| format!("is {value:.1}, more than {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG: Fact = Fact { name: "lag", metric: "lag_seconds", most: Some(5.0) };
    const OWNED: Fact = Fact { name: "owned", metric: "owned", most: None };

    #[test]
    fn facts_are_taken_from_metrics_by_name_and_labels() {
        let text = "# TYPE owned gauge\nowned{kind=\"a\"} 3\nowned{kind=\"b\"} 0\nowned_by 7\nlag_seconds 0.25\n";
        let found = facts(&[LAG, OWNED], text);
        assert_eq!(Value::from(found), json!({"lag": 0.25, "owned": {"a": 3.0, "b": 0.0}}));
        assert_eq!(facts(&[LAG], "# HELP lag_seconds how late\n"), Map::new(), "nothing was recorded yet");
    }

    #[test]
    fn a_fact_beyond_its_limit_is_said_to_be() {
        assert_eq!(over(&LAG, &json!(5.0)), None);
        assert_eq!(over(&LAG, &json!(6.0)).as_deref(), Some("is 6.0, more than 5"));
        assert!(over(&LAG, &facts(&[LAG], "lag_seconds inf")["lag"]).is_some());
        assert_eq!(over(&OWNED, &json!({"a": 1e9})), None);
    }
}
