//! The live feed over Socket.IO, in its own frames (Engine.IO 4): WebSocket, and long polling.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::{Source, Text, platform, reading, tenant};

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Opens the transport and connects to the namespace; returns the response packet.
    async fn connect(auth: Value) -> (Self, String) {
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", platform().address);
        let mut socket = Self(connect_async(url).await.unwrap().0);
        assert!(socket.next().await.starts_with('0'), "the server opens the transport");
        socket.send(format!("40{auth}")).await;
        let answer = socket.next().await;
        (socket, answer)
    }

    async fn send(&mut self, packet: String) {
        self.0.send(Message::text(packet)).await.unwrap();
    }

    async fn next(&mut self) -> String {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(10), self.0.next()).await;
            match next.expect("a packet arrives within 10 s").expect("the socket is open").unwrap() {
                // An Engine.IO ping.
                Message::Text(text) if text.as_str() == "2" => self.send("3".to_owned()).await,
                Message::Text(text) => return text.to_string(),
                _ => {}
            }
        }
    }

    /// Returns all packets until the server disconnects the client from the namespace.
    async fn rest(&mut self) -> Vec<String> {
        let mut packets = Vec::new();
        loop {
            match self.next().await {
                disconnected if disconnected == "41" => return packets,
                packet => packets.push(packet),
            }
        }
    }

    /// Emits an event and returns its acknowledgement.
    async fn emit(&mut self, event: &str, data: Value) -> Value {
        self.send(format!("421{}", json!([event, data]))).await;
        loop {
            if let Some(answer) = self.next().await.strip_prefix("431") {
                let arguments: Value = serde_json::from_str(answer).unwrap();
                return arguments[0].clone();
            }
        }
    }

    /// Returns the arguments of the next event with this name.
    async fn wait_for(&mut self, event: &str) -> Value {
        loop {
            if let Some(packet) = self.next().await.strip_prefix("42") {
                let arguments: Value = serde_json::from_str(packet).unwrap();
                if arguments[0] == event {
                    return arguments;
                }
            }
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_token_subscribes_and_receives_readings() {
    let (tenant, device) = blocking(|| {
        let tenant = tenant("Socket.IO");
        let device = tenant.device("S-1");
        (tenant, device)
    })
    .await;
    let (mut socket, connected) = Socket::connect(json!({"token": tenant.admin.token})).await;
    assert!(connected.starts_with("40{\"sid\""), "{connected}");
    let answer = socket.emit("subscribe", json!({"deviceId": device})).await;
    assert_eq!((&answer["ok"], &answer["snapshot"]["deviceId"]), (&json!(true), &json!(device)), "{answer}");
    let answer = socket.emit("subscribe", json!({"orgId": uuid::Uuid::nil()})).await;
    assert_eq!(answer, json!({"ok": false, "error": "there is no such room"}));
    let (organization, source) = (tenant.organization.clone(), device.clone());
    blocking(move || {
        let at = "2026-11-23T10:00:00Z".parse().unwrap();
        Source { organization: &organization, device: &source }.publish(vec![reading(
            at,
            &[("temperature", 3.5)],
            None,
        )]);
    })
    .await;
    let event = socket.wait_for("telemetry:batch").await;
    let at = "2026-11-23T10:00:00.000000Z";
    let expected = json!([{"deviceId": device, "metrics": {"temperature": 3.5}, "timestamp": at, "receivedAt": at}]);
    assert_eq!(event[1], expected, "{event}");
    assert_eq!(event[2]["room"], format!("device:{device}"));
    assert!(event[2]["position"].is_string());
    assert_eq!(socket.emit("unsubscribe", json!({"deviceId": device})).await["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_api_key_ends_its_socket_io_feed() {
    let (tenant, device, key, id) = blocking(|| {
        let tenant = tenant("Socket.IO keys");
        let device = tenant.device("S-2");
        let created = tenant.admin.post("/api/v1/api-keys", json!({"name": "Dashboard", "role": "viewer"})).created();
        let (key, id) = (created["key"].text(), created["apiKey"]["id"].text());
        (tenant, device, key, id)
    })
    .await;
    let (mut socket, _) = Socket::connect(json!({"token": key})).await;
    assert_eq!(socket.emit("subscribe", json!({"deviceId": device})).await["ok"], true);
    let (organization, source, admin) = (tenant.organization.clone(), device.clone(), tenant.admin.clone());
    blocking(move || {
        crate::feed::publish(&organization, &source, 0, 1.0);
        admin.delete(&format!("/api/v1/api-keys/{id}")).ok();
        crate::feed::publish(&organization, &source, 1, 2.0);
    })
    .await;
    let packets = socket.rest().await;
    let last = r#"42["feed:ended",{"code":"revoked","reason":"the API key was revoked"}]"#;
    assert_eq!(packets.last().map(String::as_str), Some(last));
    assert!(!packets.iter().any(|packet| packet.contains("\"temperature\":2.0")), "{packets:?}");
    let (_, refused) = Socket::connect(json!({"token": key})).await;
    assert!(refused.starts_with("44"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_a_connect_error() {
    blocking(platform).await;
    for auth in [json!({"token": "wrong"}), json!({})] {
        let (_, answer) = Socket::connect(auth).await;
        assert!(answer.starts_with("44") && answer.contains("not authenticated"), "{answer}");
    }
}

#[test]
fn long_polling_works_on_the_same_port() {
    let tenant = tenant("Polling");
    let client = platform().anonymous();
    let opened = client.get("/socket.io/?EIO=4&transport=polling").ok().text;
    let open: Value = serde_json::from_str(opened.strip_prefix('0').unwrap()).unwrap();
    let session = format!("/socket.io/?EIO=4&transport=polling&sid={}", open["sid"].as_str().unwrap());
    let hello = format!("40{}", json!({"token": tenant.admin.token}));
    assert_eq!(client.send("POST", &session, Some(&hello), &[("content-type", "text/plain")]).ok().text, "ok");
    // One response can hold several packets, including Engine.IO pings.
    let poll = |wanted: &str| {
        crate::support::eventually(wanted, || {
            let packets = client.get(&session).ok().text;
            packets.split('\u{1e}').find(|packet| packet.starts_with(wanted)).map(str::to_owned)
        })
    };
    poll("40{\"sid\"");
    let subscribe = format!("421{}", json!(["subscribe", {"organizationId": tenant.organization}]));
    client.send("POST", &session, Some(&subscribe), &[("content-type", "text/plain")]).ok();
    let answer = poll("431");
    assert!(answer.starts_with("431[{") && answer.contains("\"ok\":true"), "{answer}");
}
