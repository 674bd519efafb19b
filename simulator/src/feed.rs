//! Subscribes to the live feed of some devices and records the age of each reading on arrival.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::{DateTime, Utc};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::stats::Latencies;

/// A connection closed earlier than this did not end with its token, which is valid for at least 5 minutes when used.
const MIN_CONNECTION_AGE: Duration = Duration::from_secs(4 * 60);

/// Records latencies until `stop` is cancelled; returns at once if there are no devices. The server closes a connection
/// when its access token expires; a new one replaces it.
pub async fn watch(
    api: Api,
    devices: Vec<String>,
    latencies: Arc<Latencies>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    if devices.is_empty() {
        return Ok(());
    }
    while !stop.is_cancelled() {
        watch_once(&api, &devices, &latencies, &stop).await?;
    }
    Ok(())
}

async fn watch_once(
    api: &Api,
    devices: &[String],
    latencies: &Latencies,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let signed_in = api.clone();
    let url = tokio::task::spawn_blocking(move || signed_in.feed_url()).await??;
    let began = Instant::now();
    let (mut socket, _) = connect_async(url).await?;
    for (id, device) in devices.iter().enumerate() {
        let subscribe = json!({"event": "subscribe", "id": id, "data": {"deviceId": device}});
        socket.send(Message::text(subscribe.to_string())).await?;
    }
    loop {
        let message = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            message = socket.next() => message,
        };
        match message {
            Some(Ok(Message::Text(text))) => record(&serde_json::from_str(&text)?, latencies)?,
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
            None if began.elapsed() > MIN_CONNECTION_AGE => return Ok(()),
            None => anyhow::bail!("the live feed was closed"),
        }
    }
}

fn record(message: &Value, latencies: &Latencies) -> anyhow::Result<()> {
    if message["event"] == "ack" {
        ensure!(message["data"]["ok"] == true, "subscription refused: {message}");
    }
    if message["event"] == "telemetry:batch" {
        for reading in message["data"].as_array().into_iter().flatten() {
            let measured_at = reading["timestamp"].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
            if let Some(measured_at) = measured_at {
                latencies.record((now() - measured_at).to_std().unwrap_or(Duration::ZERO));
            }
        }
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "the watcher uses the same clock as its devices")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
