//! Watches the live feed of some devices and notes how old a reading is when it arrives. What does not live here: the
//! page.

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

/// A connection that lasted less was not closed for its age: a token is valid for 5 minutes at least when it is used.
const SHORTEST: Duration = Duration::from_secs(4 * 60);

/// Subscribes to the rooms of the devices and notes latencies until it is cancelled; without devices there is nothing
/// to watch. A connection ends with its access token, and is followed by another.
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
            Some(Ok(Message::Text(text))) => note(&serde_json::from_str(&text)?, latencies)?,
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
            None if began.elapsed() > SHORTEST => return Ok(()),
            None => anyhow::bail!("the live feed was closed"),
        }
    }
}

fn note(message: &Value, latencies: &Latencies) -> anyhow::Result<()> {
    if message["event"] == "ack" {
        ensure!(message["data"]["ok"] == true, "subscription refused: {message}");
    }
    if message["event"] == "telemetry:batch" {
        for reading in message["data"].as_array().into_iter().flatten() {
            let measured_at = reading["timestamp"].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
            if let Some(measured_at) = measured_at {
                latencies.note((now() - measured_at).to_std().unwrap_or(Duration::ZERO));
            }
        }
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "a watcher has a clock of its own, the same as its devices'")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
