//! `/health`, `/ready` and `/metrics`: the same answers for every role, on the API's port or on a port of their own.
//! Which dependencies and facts a role reports is decided by the composition root.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use eventlog::error_chain;
use futures_util::future::{BoxFuture, join_all};
use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::web::{Data, Json};
use poem::{EndpointExt, IntoResponse, Response, Route, handler};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::{Error, Listen, bind};

/// How long each dependency may take to answer.
const DEADLINE: Duration = Duration::from_secs(2);

/// How long probes in flight may take when the process shuts down.
const DRAIN: Duration = Duration::from_secs(1);

/// What a process reports about itself.
#[derive(Clone)]
pub struct Probe {
    /// The servers without which the role cannot work.
    pub dependencies: Vec<Dependency>,
    /// Returns conditions that need attention but leave the role ready.
    pub warnings: Arc<dyn Fn() -> BoxFuture<'static, Vec<String>> + Send + Sync>,
    /// Renders the process's metrics as Prometheus text.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Figures that the role reports from its metrics.
    pub facts: &'static [Fact],
}

/// A server that the role needs, and how to ask whether it answers.
#[derive(Clone)]
pub struct Dependency {
    name: &'static str,
    ping: Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

impl Dependency {
    /// Returns a dependency that is up while `ping` succeeds.
    pub fn new<F, E>(name: &'static str, ping: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::error::Error,
    {
        let ping = move || -> BoxFuture<'static, Result<(), String>> {
            let asking = ping();
            Box::pin(async move { asking.await.map_err(|error| error_chain(&error)) })
        };
        Self { name, ping: Arc::new(ping) }
    }

    /// Returns why the server is not up; `None` if it is.
    async fn failure(&self) -> Option<String> {
        match tokio::time::timeout(DEADLINE, (self.ping)()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some(format!("does not answer within {} s", DEADLINE.as_secs())),
        }
    }
}

/// A figure that a role reports, taken from its metrics.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// Its name in the answer.
    pub name: &'static str,
    /// The metric it is read from.
    pub metric: &'static str,
    /// The highest value at which the role is ready; `None` if any value is.
    pub most: Option<f64>,
}

/// Serves `/health`, `/ready` and `/metrics`, and nothing else, until `shutdown`.
pub async fn serve(address: SocketAddr, probe: Probe, shutdown: CancellationToken) -> Result<(), Error> {
    let acceptor = TcpAcceptor::from_std(bind(Listen::Address(address))?).map_err(Error::Listener)?;
    let app = routes(Route::new(), probe);
    let server = poem::Server::new_with_acceptor(acceptor).name("probe");
    server.run_with_graceful_shutdown(app, shutdown.cancelled_owned(), Some(DRAIN)).await.map_err(Error::Serve)
}

/// Adds the three paths to a route table.
pub fn routes(table: Route, probe: Probe) -> Route {
    table
        .at("/health", poem::get(health))
        .at("/ready", poem::get(ready).data(probe.clone()))
        .at("/metrics", poem::get(metrics).data(probe))
}

/// Answers 200 as long as the process runs.
#[handler]
fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// Answers 200 if every dependency is up and every fact within its limit; 503 names those that are not.
#[handler]
async fn ready(Data(probe): Data<&Probe>) -> Response {
    let servers = join_all(probe.dependencies.iter().map(|server| async { (server.name, server.failure().await) }));
    let warnings = async { tokio::time::timeout(DEADLINE, (probe.warnings)()).await.unwrap_or_default() };
    let (servers, warnings) = tokio::join!(servers, warnings);
    let facts = facts(probe.facts, &(probe.metrics)());
    let mut checks: BTreeMap<&str, Option<String>> = servers.into_iter().collect();
    checks.extend(probe.facts.iter().filter_map(|fact| Some((fact.name, Some(excess(fact, facts.get(fact.name)?)?)))));
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

/// Answers the process's metrics as Prometheus text.
#[handler]
fn metrics(Data(probe): Data<&Probe>) -> Response {
    Response::builder().content_type("text/plain; version=0.0.4").body((probe.metrics)())
}

/// Reads the facts from Prometheus text: a number each, or a map of numbers by label values if a metric has labels. A
/// fact whose metric was not recorded yet is absent.
fn facts(wanted: &[Fact], text: &str) -> Map<String, Value> {
    let mut found = Map::new();
    for fact in wanted {
        let series = text.lines().filter_map(|line| series(line.strip_prefix(fact.metric)?));
        let series: Vec<(String, f64)> = series.collect();
        let value = match series.as_slice() {
            [] => continue,
            [(labels, value)] if labels.is_empty() => json!(value),
            several => {
                several.iter().map(|(labels, value)| (labels.clone(), json!(value))).collect::<Map<_, _>>().into()
            }
        };
        found.insert(fact.name.to_owned(), value);
    }
    found
}

/// Parses the rest of a sample line after the metric's name: `{stage="a",of="b"} 1.5` becomes `a/b` and 1.5. `None` for
/// a longer metric name.
fn series(rest: &str) -> Option<(String, f64)> {
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => rest.rsplit_once("} ")?,
        None => ("", rest.strip_prefix(' ')?),
    };
    // Split at quotes, every second part is a label's value.
    let labels: Vec<&str> = labels.split('"').skip(1).step_by(2).collect();
    Some((labels.join("/"), value.trim().parse().ok()?))
}

/// Returns by how much a fact exceeds its limit, as text; `None` if it does not.
fn excess(fact: &Fact, value: &Value) -> Option<String> {
    let most = fact.most?;
    // JSON has no number for infinity: it reads as null here, and exceeds every limit.
    let value = value.as_f64().unwrap_or(f64::INFINITY);
    (value > most).then(|| format!("is {value:.1}, more than {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG: Fact = Fact { name: "lag", metric: "lag_seconds", most: Some(5.0) };
    const OWNED: Fact = Fact { name: "owned", metric: "owned", most: None };

    #[test]
    fn facts_are_read_from_metrics_by_name_and_labels() {
        let text = "# TYPE owned gauge\nowned{kind=\"a\"} 3\nowned{kind=\"b\"} 0\nowned_by 7\nlag_seconds 0.25\n";
        let found = facts(&[LAG, OWNED], text);
        assert_eq!(Value::from(found), json!({"lag": 0.25, "owned": {"a": 3.0, "b": 0.0}}));
        assert_eq!(facts(&[LAG], "# HELP lag_seconds how late\n"), Map::new(), "nothing was recorded yet");
    }

    #[test]
    fn a_fact_above_its_limit_is_reported() {
        assert_eq!(excess(&LAG, &json!(5.0)), None);
        assert_eq!(excess(&LAG, &json!(6.0)).as_deref(), Some("is 6.0, more than 5"));
        assert!(excess(&LAG, &facts(&[LAG], "lag_seconds inf")["lag"]).is_some());
        assert_eq!(excess(&OWNED, &json!({"a": 1e9})), None);
    }
}
