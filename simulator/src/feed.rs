//! Watches the live feed of some devices and notes how old a reading is when it arrives. What does not live here: the
//! page.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use chrono::{DateTime, Utc};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use crate::stats::Latencies;

/// Subscribes to the rooms of the devices and notes latencies until it is cancelled; without devices there is nothing
/// to watch.
pub async fn watch(
    url: String,
    devices: Vec<String>,
    latencies: Arc<Latencies>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    if devices.is_empty() {
        return Ok(());
    }
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
            Some(Ok(Message::Text(text))) => note(&serde_json::from_str(&text)?, &latencies)?,
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
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
