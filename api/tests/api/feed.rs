//! The live feed over a plain WebSocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::activities::raise_alarm;
use crate::support::{Source, Tenant, Text, platform, reading, tenant};

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(token: &str) -> Result<Self, Error> {
        Self::open_at(&platform().address, token).await
    }

    /// Opens a socket to one API process.
    pub async fn open_at(address: &str, token: &str) -> Result<Self, Error> {
        let url = format!("ws://{address}/api/v1/ws?token={token}");
        connect_async(url).await.map(|(socket, _)| Self(socket))
    }

    async fn for_admin_of(tenant: &Tenant) -> Self {
        Self::open(tenant.admin.token.as_deref().unwrap()).await.unwrap()
    }

    async fn send(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn next(&mut self) -> Value {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(10), self.0.next()).await;
            match next.expect("a frame arrives within 10 s").expect("the socket is open").unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                _ => continue,
            }
        }
    }

    pub async fn ack(&mut self, event: &str, data: Value) -> Value {
        self.send(json!({"event": event, "id": 7, "data": data})).await;
        let answer = self.next().await;
        assert_eq!((&answer["event"], &answer["id"]), (&json!("ack"), &json!(7)), "{answer}");
        answer["data"].clone()
    }

    /// Returns the next frame of this event.
    pub async fn wait_for(&mut self, event: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["event"] == event {
                return frame;
            }
        }
    }

    /// Returns all frames until the server closes the connection.
    pub async fn rest(mut self) -> Vec<Value> {
        let mut frames = Vec::new();
        let reading = async {
            while let Some(Ok(message)) = self.0.next().await {
                if let Message::Text(text) = message {
                    frames.push(serde_json::from_str(&text).unwrap());
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), reading).await.expect("the connection is closed within 10 s");
        frames
    }
}

pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

pub fn publish(organization: &str, device: &str, seconds: i64, value: f64) {
    let at = "2026-11-23T10:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let at = at + chrono::TimeDelta::seconds(seconds);
    Source { organization, device }.publish(vec![reading(at, &[("temperature", value)], None)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_and_alarms_arrive_in_their_rooms() {
    let (tenant, device, asset) = blocking(|| {
        let tenant = tenant("Feed");
        let (device, asset) = (tenant.device("F-1"), tenant.asset("Pump"));
        (tenant, device, asset)
    })
    .await;
    let mut socket = Socket::for_admin_of(&tenant).await;
    let answer = socket.ack("subscribe", json!({"deviceId": device})).await;
    assert_eq!((&answer["ok"], &answer["room"]), (&json!(true), &json!(format!("device:{device}"))), "{answer}");
    assert_eq!(answer["snapshot"]["status"], "unknown");
    let mut organization_socket = Socket::for_admin_of(&tenant).await;
    let answer = organization_socket.ack("subscribe", json!({"organizationId": tenant.organization})).await;
    assert_eq!(answer["snapshot"]["devices"][0]["deviceId"], device);
    assert_eq!(answer["snapshot"]["alarms"], json!([]));

    let (organization, source) = (tenant.organization.clone(), device.clone());
    blocking(move || publish(&organization, &source, 0, 21.5)).await;
    let batch = socket.wait_for("telemetry:batch").await;
    let at = "2026-11-23T10:00:00.000000Z";
    let expected = json!([{"deviceId": device, "metrics": {"temperature": 21.5}, "timestamp": at, "receivedAt": at}]);
    assert_eq!(batch["data"], expected, "{batch}");
    assert!(batch["position"].is_string());
    let new = organization_socket.wait_for("telemetry:new").await;
    assert_eq!((&new["data"]["deviceId"], &new["data"]["metrics"]["temperature"]), (&json!(device), &json!(21.5)));

    let alarm = blocking(move || raise_alarm(&tenant, &asset)).await;
    assert_eq!(organization_socket.wait_for("alarm:raised").await["data"]["alarmId"], alarm);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconnecting_client_gets_what_it_missed() {
    let (tenant, device) = blocking(|| {
        let tenant = tenant("Resume");
        let device = tenant.device("F-2");
        (tenant, device)
    })
    .await;
    let mut socket = Socket::for_admin_of(&tenant).await;
    socket.ack("subscribe", json!({"deviceId": device})).await;
    let send = |seconds: i64, value: f64| {
        let (organization, device) = (tenant.organization.clone(), device.clone());
        blocking(move || publish(&organization, &device, seconds, value))
    };
    send(0, 1.0).await;
    let position = socket.wait_for("telemetry:batch").await["position"].text();
    let mut other = Socket::for_admin_of(&tenant).await;
    other.ack("subscribe", json!({"deviceId": device})).await;
    drop(socket);
    send(1, 2.0).await;
    other.wait_for("telemetry:batch").await;
    let mut reconnected = Socket::for_admin_of(&tenant).await;
    let answer = reconnected.ack("subscribe", json!({"deviceId": device, "after": position})).await;
    assert_eq!(answer["resumed"], "replayed", "{answer}");
    assert!(answer["missed"].as_u64() >= Some(1), "{answer}");
    // Messages in flight when the position was recorded may arrive twice, but are never lost.
    while reconnected.wait_for("telemetry:batch").await["data"][0]["metrics"]["temperature"] != 2.0 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_shows_what_the_feed_told_others_before() {
    let (tenant, device) = blocking(|| {
        let tenant = tenant("Snapshot");
        let device = tenant.device("F-3");
        (tenant, device)
    })
    .await;
    let mut first = Socket::for_admin_of(&tenant).await;
    first.ack("subscribe", json!({"deviceId": device})).await;
    for second in 1..=5_u32 {
        let (organization, source) = (tenant.organization.clone(), device.clone());
        blocking(move || publish(&organization, &source, second.into(), second.into())).await;
        first.wait_for("telemetry:batch").await;
        let mut late = Socket::for_admin_of(&tenant).await;
        let answer = late.ack("subscribe", json!({"deviceId": device})).await;
        let newest = &answer["snapshot"]["metrics"]["temperature"];
        let timestamp = format!("2026-11-23T10:00:0{second}.000000Z");
        assert_eq!((&newest["value"], &newest["timestamp"]), (&json!(f64::from(second)), &json!(timestamp)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_rooms_and_invalid_requests_are_refused_without_closing_the_socket() {
    let (ours, theirs, device, own) = blocking(|| {
        let (ours, theirs) = (tenant("Our feed"), tenant("Their feed"));
        let (device, own) = (theirs.device("F-3"), ours.device("F-4"));
        (ours, theirs, device, own)
    })
    .await;
    let mut socket = Socket::for_admin_of(&ours).await;
    let refused = json!({"ok": false, "error": "there is no such room"});
    assert_eq!(socket.ack("subscribe", json!({"deviceId": device})).await, refused);
    assert_eq!(socket.ack("subscribe", json!({"orgId": theirs.organization})).await, refused);
    assert_eq!(socket.ack("subscribe", json!({"assetId": device})).await, refused);
    assert_eq!(socket.ack("subscribe", json!({})).await["ok"], false);
    assert_eq!(socket.ack("dance", json!({})).await["ok"], false);
    socket.send(json!("nonsense")).await;
    assert_eq!(socket.next().await["event"], "error");
    assert_eq!(socket.ack("subscribe", json!({"deviceId": own})).await["ok"], true);
    assert_eq!(socket.ack("unsubscribe", json!({"deviceId": own})).await["ok"], true);
    assert_eq!(socket.ack("unsubscribe", json!({"deviceId": own})).await["ok"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_token_is_refused() {
    blocking(platform).await;
    for token in ["", "wrong"] {
        match Socket::open(token).await {
            Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 401),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("connected with {token:?}"),
        }
    }
}
