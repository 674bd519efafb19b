//! Measures how soon a webhook reports a breach: one at a time, and many caused by one reading.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use anyhow::Context;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::timeout;

use crate::api::{Api, text};
use crate::reaction::{Probe, Room};
use crate::stats::Latencies;

/// Breaches measured one at a time.
pub const ONE_BY_ONE: usize = 30;
/// Rules that one reading breaches at once.
pub const AT_ONCE: usize = 100;
/// Longest wait for one webhook.
const DEADLINE: Duration = Duration::from_secs(60);

/// The environment variable that allows webhooks to reach the local receiver.
pub const ALLOWED: (&str, &str) = ("ARGUSIQ_WEBHOOKS__ALLOWED_NETWORKS", r#"["127.0.0.0/8"]"#);

/// Milliseconds from publishing the reading to the arrival of the webhook.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Webhooks {
    /// Median.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 95th percentile where one reading breaches all rules.
    pub burst_p95_ms: f64,
}

/// Receives the arrival time of each `alarm.raised` webhook.
type Arrivals = mpsc::UnboundedReceiver<Instant>;

/// Creates a device with rules, and a notification channel that posts to a local receiver.
pub async fn measure(api: &Api, mqtt: &str, tag: &str) -> anyhow::Result<Webhooks> {
    let (address, mut arrivals, receiver) = receive().await?;
    let mut probe = Probe::prepare(api, mqtt, &format!("webhook-{tag}"), Room::Device).await?;
    let channel = json!({"name": "Benchmark", "minimumSeverity": "low", "medium": {"type": "webhook", "url": address}});
    let (maker, rule) = (api.clone(), probe.rule(0));
    let channel = spawn_blocking(move || -> anyhow::Result<String> {
        maker.post("/api/v1/rules", &rule)?;
        text(&maker.post("/api/v1/notification-channels", &channel)?, "/notificationChannel/id")
    })
    .await??;
    let one_by_one = Latencies::default();
    for _ in 0..ONE_BY_ONE {
        breach(&mut probe, &mut arrivals, 1, &one_by_one).await?;
    }
    let (maker, rule) = (api.clone(), probe.rule(0));
    spawn_blocking(move || (1..AT_ONCE).try_for_each(|_| maker.post("/api/v1/rules", &rule).map(drop))).await??;
    let burst = Latencies::default();
    breach(&mut probe, &mut arrivals, AT_ONCE, &burst).await?;
    // Delete the channel: later loads raise alarms of their own.
    let maker = api.clone();
    spawn_blocking(move || maker.delete(&format!("/api/v1/notification-channels/{channel}"))).await??;
    receiver.abort();
    let [p50_ms, p95_ms] = [0.5, 0.95].map(|share| one_by_one.quantile_millis(share));
    Ok(Webhooks { p50_ms, p95_ms, burst_p95_ms: burst.quantile_millis(0.95) })
}

/// Publishes a normal and a breaching reading and records the latency of `count` webhooks.
async fn breach(probe: &mut Probe, arrivals: &mut Arrivals, count: usize, noted: &Latencies) -> anyhow::Result<()> {
    probe.publish(20.0).await?;
    let began = Instant::now();
    probe.publish(90.0).await?;
    for _ in 0..count {
        let arrived = timeout(DEADLINE, arrivals.recv()).await.context("timed out waiting for a webhook")?;
        noted.record(arrived.context("the webhook receiver has stopped")?.saturating_duration_since(began));
    }
    Ok(())
}

/// Starts a receiver that answers every request with 204; returns its URL.
async fn receive() -> anyhow::Result<(String, Arrivals, AbortHandle)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}/", listener.local_addr()?);
    let (arrived_tx, arrivals) = mpsc::unbounded_channel();
    let receiver = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let arrived_tx = arrived_tx.clone();
            let service = service_fn(move |request| record_arrival(request, arrived_tx.clone()));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok((address, arrivals, receiver.abort_handle()))
}

async fn record_arrival(
    request: Request<Incoming>,
    arrived_tx: mpsc::UnboundedSender<Instant>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let arrived = Instant::now();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if body["type"] == "alarm.raised" {
        // The receiver is gone once everything is measured.
        let _ = arrived_tx.send(arrived);
    }
    let mut answer = Response::new(Empty::new());
    *answer.status_mut() = hyper::StatusCode::NO_CONTENT;
    Ok(answer)
}
