//! The live feed over a plain WebSocket. The server sends JSON frames `{"event", "data", "position", "room"}`; the
//! client sends `{"event", "data", "id"}` and gets `{"event": "ack", "id", "data"}` as the reply.

use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use poem::web::websocket::{Message, WebSocket, WebSocketStream};
use poem::web::{Data, Query};
use poem::{IntoResponse, handler};
use projections::live_feed::{FeedMessage, Room};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::client_subscriptions::ClientSubscriptions;
use super::forward::{ENDED, Transport, ended};
use crate::auth::Standing;
use crate::problem::{Kind, Problem};
use crate::state::State;

/// Frames buffered for the socket; when it is full, the hub's own buffer fills until the hub drops the client.
const MAX_BUFFERED: usize = 64;

/// Time between pings, which keep idle connections alive and detect dead ones.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// How long writing a frame may block before the connection is closed.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long writing the last frame may block.
const LAST_TIMEOUT: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Parameters {
    token: Option<String>,
    organization: Option<String>,
}

/// A frame from the client.
#[derive(Deserialize)]
struct Request {
    event: String,
    #[serde(default)]
    data: Value,
    id: Option<Value>,
}

enum Outgoing {
    Frame(String),
    Last(String),
}

/// Authenticates the client and upgrades the connection to a WebSocket.
#[handler]
pub async fn websocket_endpoint(
    socket: WebSocket,
    Query(parameters): Query<Parameters>,
    Data(state): Data<&State>,
    Data(shutdown): Data<&CancellationToken>,
) -> poem::Result<impl IntoResponse + use<>> {
    let missing = || Problem::of(Kind::Unauthenticated, "connect with ?token=<access token or API key>");
    let Parameters { token, organization } = parameters;
    let standing = Standing::open(state, &token.ok_or_else(missing)?, organization.as_deref()).await?;
    let (state, shutdown) = (state.clone(), shutdown.clone());
    Ok(socket.on_upgrade(move |stream| serve(stream, state, standing, shutdown)))
}

async fn serve(stream: WebSocketStream, state: State, mut standing: Standing, shutdown: CancellationToken) {
    let (mut sink, source) = stream.split();
    let (outgoing, frames) = mpsc::channel(MAX_BUFFERED);
    let subscriptions = ClientSubscriptions::new(state, standing.clone(), WebSocketTransport(outgoing.clone()));
    let data = tokio::select! {
        refused = standing.ended() => ended(refused.code, refused),
        () = shutdown.cancelled() => ended("shutdown", "the server stops; connect again"),
        () = write(&mut sink, frames) => return,
        () = read(source, subscriptions, outgoing) => return,
    };
    // What is still buffered is not sent any more.
    let _closed = tokio::time::timeout(LAST_TIMEOUT, async {
        sink.send(Message::Text(event(ENDED, &data))).await?;
        sink.close().await
    })
    .await;
}

async fn read(
    mut source: SplitStream<WebSocketStream>,
    mut subscriptions: ClientSubscriptions<WebSocketTransport>,
    outgoing: mpsc::Sender<Outgoing>,
) {
    while let Some(Ok(message)) = source.next().await {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return,
            _ => continue,
        };
        let (answer, gate) = match serde_json::from_str::<Request>(&text) {
            Err(_) => (json!({"event": "error", "data": "a frame is {\"event\", \"data\", \"id\"}"}), None),
            Ok(request) => {
                let (data, gate) = match request.event.as_str() {
                    "subscribe" => subscriptions.subscribe(&request.data).await,
                    "unsubscribe" => (subscriptions.unsubscribe(&request.data), None),
                    "ping" => (json!({"ok": true}), None),
                    _ => (json!({"ok": false, "error": "there is no such event"}), None),
                };
                (json!({"event": "ack", "id": request.id, "data": data}), gate)
            }
        };
        if outgoing.send(Outgoing::Frame(answer.to_string())).await.is_err() {
            return;
        }
        drop(gate);
    }
}

async fn write(sink: &mut SplitSink<WebSocketStream, Message>, mut frames: mpsc::Receiver<Outgoing>) {
    let mut pings = tokio::time::interval(PING_INTERVAL);
    loop {
        let (message, is_last) = tokio::select! {
            frame = frames.recv() => match frame {
                Some(Outgoing::Frame(text)) => (Message::Text(text), false),
                Some(Outgoing::Last(text)) => (Message::Text(text), true),
                None => return,
            },
            _ = pings.tick() => (Message::Ping(vec![]), false),
        };
        let sent = tokio::time::timeout(WRITE_TIMEOUT, send(sink, message, &frames)).await;
        if !matches!(sent, Ok(Ok(()))) || is_last {
            let _closed = tokio::time::timeout(WRITE_TIMEOUT, sink.close()).await;
            return;
        }
    }
}

/// Sends a frame; flushes only when no further frame is buffered, so that bursts go out in few packets.
async fn send(
    sink: &mut SplitSink<WebSocketStream, Message>,
    message: Message,
    frames: &mpsc::Receiver<Outgoing>,
) -> std::io::Result<()> {
    match frames.is_empty() {
        true => sink.send(message).await,
        false => sink.feed(message).await,
    }
}

#[derive(Clone)]
struct WebSocketTransport(mpsc::Sender<Outgoing>);

impl Transport for WebSocketTransport {
    async fn send(&self, room: Room, message: &FeedMessage) -> bool {
        let (event, data, position) = (message.event, &message.data, message.position);
        let frame = format!(r#"{{"event":"{event}","data":{data},"position":"{position}","room":"{room}"}}"#);
        self.0.send(Outgoing::Frame(frame)).await.is_ok()
    }

    async fn close(&self, event: &'static str, data: String) {
        let _gone = self.0.send(Outgoing::Last(self::event(event, &data))).await;
    }
}

fn event(name: &str, data: &str) -> String {
    format!(r#"{{"event":"{name}","data":{data}}}"#)
}
