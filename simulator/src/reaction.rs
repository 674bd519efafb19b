//! Measures how fast the platform reacts, as seen by a subscriber of the live feed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

use crate::api::{Api, text};
use crate::mqtt;
use crate::provision::{self, Provisioned};
use crate::session::Session;
use crate::stats::Latencies;
use crate::tls::Connector;

/// Longest wait for one reaction.
const DEADLINE: Duration = Duration::from_secs(45);

/// Seconds from cause to live message.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Reactions {
    /// From a reading that changes an asset's health to `asset:healthscore`.
    pub reading_to_health_seconds: f64,
    /// From creating a rule that current values breach to `event:created`.
    pub rule_to_event_seconds: f64,
    /// From a broken connection to `device:status` offline.
    pub disconnect_to_offline_seconds: f64,
}

/// A device linked to an asset, and a subscriber of the live feed.
pub struct Probe {
    api: Api,
    session: Session,
    topic: String,
    feed: WebSocketStream<MaybeTlsStream<TcpStream>>,
    sent: u64,
    last_millis: i64,
    device: String,
}

/// Pause between two breaches of the alarm probe, so that the first alarm has ended.
const BETWEEN_BREACHES: Duration = Duration::from_millis(100);

/// Records repeatedly, until `stop`, the time from a reading that breaches a rule to its alarm on the live feed.
/// Returns when the probe is ready, before the first reading.
pub async fn alarms(
    api: &Api,
    mqtt: &str,
    tag: &str,
    noted: Arc<Latencies>,
    stop: CancellationToken,
) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let mut probe = Probe::prepare(api, mqtt, &format!("alarm-{tag}"), Room::Device).await?;
    let (api, rule) = (probe.api.clone(), probe.rule(0));
    spawn_blocking(move || api.post("/api/v1/rules", &rule)).await??;
    Ok(tokio::spawn(async move {
        while !stop.is_cancelled() {
            probe.publish(20.0).await?;
            sleep(BETWEEN_BREACHES).await;
            let began = Instant::now();
            probe.publish(90.0).await?;
            let seen = stop.run_until_cancelled(probe.expect("alarm:raised", |_| true)).await;
            if let Some(seen) = seen {
                seen?;
                noted.record(began.elapsed());
            }
        }
        Ok(())
    }))
}

/// What the probe subscribes to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Everything of the organisation.
    Organization,
    /// Its own device only.
    Device,
}

/// Creates one device on one asset and times three reactions.
pub async fn measure(api: &Api, mqtt: &str, tag: &str) -> anyhow::Result<Reactions> {
    let mut probe = Probe::prepare(api, mqtt, tag, Room::Organization).await?;
    let reading_to_health_seconds = probe.reading_to_health().await?;
    let rule_to_event_seconds = probe.rule_to_event().await?;
    let disconnect_to_offline_seconds = probe.disconnect_to_offline().await?;
    Ok(Reactions { reading_to_health_seconds, rule_to_event_seconds, disconnect_to_offline_seconds })
}

impl Probe {
    /// Creates the device and the asset, connects, and subscribes.
    pub async fn prepare(api: &Api, mqtt: &str, tag: &str, room: Room) -> anyhow::Result<Self> {
        let (maker, tag) = (api.clone(), format!("probe-{tag}"));
        let (device, root) = spawn_blocking(move || make(&maker, &tag)).await??;
        let (host, _) = mqtt.rsplit_once(':').context("the MQTT address must be host:port")?;
        let connector = Connector::new(device.chain_pem(), device.key_pem(), &root, host)?;
        let (mut feed, _) = connect_async(api.feed_url()?).await?;
        let room = match room {
            Room::Organization => json!({"organizationId": api.organization}),
            Room::Device => json!({"deviceId": device.id}),
        };
        let subscribe = json!({"event": "subscribe", "id": 1, "data": room});
        feed.send(Message::text(subscribe.to_string())).await?;
        let session = Session::open(&connector, mqtt, &device.id).await?;
        let topic = format!("v1/telemetry/{}/{}", api.organization, device.id);
        Ok(Self { api: api.clone(), session, topic, feed, sent: 0, last_millis: 0, device: device.id })
    }

    async fn reading_to_health(&mut self) -> anyhow::Result<f64> {
        self.publish(50.0).await?;
        self.expect("asset:healthscore", |_| true).await?;
        let began = Instant::now();
        self.publish(90.0).await?;
        self.expect("asset:healthscore", |_| true).await?;
        Ok(began.elapsed().as_secs_f64())
    }

    async fn rule_to_event(&mut self) -> anyhow::Result<f64> {
        let (api, rule) = (self.api.clone(), self.rule(1));
        let began = Instant::now();
        spawn_blocking(move || api.post("/api/v1/rules", &rule)).await??;
        let mut ticks = interval(Duration::from_millis(100));
        loop {
            // The rule takes effect only once the evaluator knows it, so keep publishing breaching readings.
            ensure!(began.elapsed() < DEADLINE, "no event:created in {DEADLINE:?}");
            ticks.tick().await;
            self.publish(90.0).await?;
            let device = self.device.clone();
            let soon = self.expect("event:created", |data| data["entityId"] == device.as_str());
            if let Ok(seen) = timeout(Duration::from_millis(90), soon).await {
                seen?;
                return Ok(began.elapsed().as_secs_f64());
            }
        }
    }

    /// Returns a rule that the probe's device breaches above 80.
    pub fn rule(&self, cooldown_seconds: u32) -> Value {
        json!({
            "name": "Reaction probe", "entityType": "device", "entityId": self.device, "metricKey": "temperature",
            "condition": {"operator": ">", "value": 80, "durationSeconds": 0}, "severity": "low",
            "action": {"type": "none"}, "cooldownSeconds": cooldown_seconds,
        })
    }

    async fn disconnect_to_offline(mut self) -> anyhow::Result<f64> {
        let device = self.device.clone();
        let began = Instant::now();
        self.session.break_off();
        expect(&mut self.feed, "device:status", |data| {
            data["deviceId"] == device.as_str() && data["status"] == "offline"
        })
        .await?;
        Ok(began.elapsed().as_secs_f64())
    }

    /// Publishes a temperature with the current time.
    pub async fn publish(&mut self, temperature: f64) -> anyhow::Result<()> {
        self.sent += 1;
        // A second reading in the same millisecond would count as the same one.
        self.last_millis = crate::device::millis_now().max(self.last_millis + 1);
        let payload = json!({"ts": self.last_millis, "metrics": {"temperature": temperature}}).to_string();
        let mut packet = Vec::new();
        mqtt::publish(&mut packet, &self.topic, (self.sent % 60_000) as u16 + 1, payload.as_bytes());
        self.session.write(&packet).await
    }

    async fn expect(&mut self, event: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        expect(&mut self.feed, event, wanted).await
    }
}

async fn expect(
    feed: &mut WebSocketStream<MaybeTlsStream<TcpStream>>,
    event: &str,
    wanted: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let began = Instant::now();
    while began.elapsed() < DEADLINE {
        let message = timeout(DEADLINE, feed.next()).await.with_context(|| format!("no {event} in {DEADLINE:?}"))?;
        if let Message::Text(text) = message.context("the live feed was closed")?? {
            let message: Value = serde_json::from_str(&text)?;
            if message["event"] == event && wanted(&message["data"]) {
                return Ok(message["data"].clone());
            }
        }
    }
    bail!("no {event} in {DEADLINE:?}")
}

fn make(api: &Api, tag: &str) -> anyhow::Result<(Provisioned, String)> {
    let device_type = provision::make_device_type(api, 2)?;
    let device = provision::make_device(api, &device_type, tag, 0)?;
    let band = json!({"metricKey": "temperature", "goodLow": 0, "goodHigh": 75, "limitLow": -10, "limitHigh": 95, "weight": 1});
    let kind = json!({"name": "Probed pump", "healthModel": {"bands": [band]}});
    let kind = text(&api.post("/api/v1/asset-types", &kind)?, "/assetType/id")?;
    let asset = json!({"name": "Probed pump", "assetTypeId": kind});
    let asset = text(&api.post("/api/v1/assets", &asset)?, "/asset/id")?;
    api.post(&format!("/api/v1/devices/{}/assets/{asset}/link", device.id), &json!({"role": "primary"}))?;
    Ok((device, api.get_text("/pki/ca.pem")?))
}
