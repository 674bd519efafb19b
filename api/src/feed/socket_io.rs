//! The live feed over Socket.IO, on the API's port. Long polling is an ordinary request. For a WebSocket, this module
//! answers the 101 itself and hands the connection to the engine, because poem's generic service adapter loses
//! upgrades.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::service::Service;
use poem::endpoint::make;
use poem::http::{self, StatusCode, header};
use poem::{Endpoint, Request, Response, Upgraded};
use projections::live_feed::{FeedMessage, Room};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_util::sync::CancellationToken;

use super::client_subscriptions::ClientSubscriptions;
use super::forward::{ENDED, Transport, ended};
use super::join::refusal;
use crate::auth::Standing;
use crate::problem::{Kind, Problem};
use crate::state::State;

/// Packets buffered for one client; when they are full, the hub's own buffer fills until the hub drops the client.
const MAX_BUFFERED: usize = 256;

/// Pause before retrying a client whose buffer is full.
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// The body of the engine's requests and responses.
type Body = BoxBody<Bytes, std::io::Error>;

/// Returns the endpoint of the Socket.IO server, which closes its connections at `shutdown`.
pub fn endpoint(state: &State, shutdown: &CancellationToken) -> impl Endpoint + use<> {
    let (service, io) = SocketIo::builder().max_buffer_size(MAX_BUFFERED).build_svc();
    let connecting = state.clone();
    let admit = move |socket: SocketRef, TryData(handshake): TryData<Handshake>| {
        let state = connecting.clone();
        async move {
            let standing = admit(&state, &socket, handshake.ok()).await?;
            // Register the handlers before the client learns that it is connected, or its first message could be lost.
            listen(state, &socket, standing);
            Ok::<_, NotAuthenticated>(())
        }
    };
    io.ns("/", { || async {} }.with(admit));
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        shutdown.cancelled().await;
        let data = ended("shutdown", "the server stops; connect again");
        if let Ok(data) = serde_json::from_str::<&RawValue>(&data) {
            drop(io.emit(ENDED, data).await);
        }
        io.close().await;
    });
    make(move |request: Request| {
        let service = service.clone();
        async move {
            if is_upgrade(&request) {
                let (answer, handed) = upgrade(request)?;
                tokio::spawn(async move {
                    let Some(connection) = handed.await else { return };
                    if let Err(error) = service.call(connection).await {
                        tracing::debug!(?error, "not a Socket.IO connection");
                    }
                });
                return Ok(answer);
            }
            let request: http::Request<Body> = request.into();
            let answer: Result<_, Infallible> = service.call(request).await;
            let Ok(answer) = answer;
            let answer: http::Response<Body> =
                answer.map(|body| body.map_err(|error| std::io::Error::other(format!("{error:?}"))).boxed());
            Ok::<_, poem::Error>(Response::from(answer))
        }
    })
}

fn is_upgrade(request: &Request) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// An upgraded connection, and the head of the request that opened it.
type Handed = (Upgraded, http::Request<()>);

/// Returns the 101, and a future that yields the connection once the 101 is sent.
fn upgrade(request: Request) -> poem::Result<(Response, impl Future<Output = Option<Handed>> + Send + 'static)> {
    let refused = || Problem::of(Kind::BadRequest, "not a WebSocket handshake");
    let key = request.header(header::SEC_WEBSOCKET_KEY).map(str::to_owned).ok_or_else(refused)?;
    let upgrade = request.take_upgrade().map_err(|_| refused())?;
    let request: http::Request<Body> = request.into();
    let (parts, _) = request.into_parts();
    let handed = async move { Some((upgrade.await.ok()?, http::Request::from_parts(parts, ()))) };
    Ok((switching(&key), handed))
}

fn switching(key: &str) -> Response {
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()))
        .finish()
}

/// The payload of a client's connect packet: `auth: {token, organization}`.
#[derive(Default, Deserialize)]
struct Handshake {
    token: Option<String>,
    organization: Option<String>,
}

/// The client is not authenticated; it receives this as `connect_error`.
#[derive(Debug, thiserror::Error)]
#[error("not authenticated: connect with auth {{ token: <access token or API key> }}")]
struct NotAuthenticated;

async fn admit(state: &State, socket: &SocketRef, handshake: Option<Handshake>) -> Result<Standing, NotAuthenticated> {
    let asked = socket
        .req_parts()
        .uri
        .query()
        .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("token=")).map(str::to_owned));
    let Handshake { token, organization } = handshake.unwrap_or_default();
    let token = token.or(asked).ok_or(NotAuthenticated)?;
    Standing::open(state, &token, organization.as_deref()).await.map_err(|_| NotAuthenticated)
}

fn listen(state: State, socket: &SocketRef, mut standing: Standing) {
    let subscriptions = std::sync::Arc::new(Mutex::new(ClientSubscriptions::new(
        state,
        standing.clone(),
        SocketIoTransport(socket.clone()),
    )));
    let entering = subscriptions.clone();
    socket.on("subscribe", move |TryData(data): TryData<Value>, ack: AckSender| {
        let subscriptions = entering.clone();
        async move {
            let (answer, gate) = match data {
                Ok(data) => subscriptions.lock().await.subscribe(&data).await,
                Err(_) => (refusal("the message cannot be parsed".to_owned()), None),
            };
            drop(ack.send(&answer));
            drop(gate);
        }
    });
    let leaving = subscriptions.clone();
    socket.on("unsubscribe", move |TryData(data): TryData<Value>, ack: AckSender| {
        let subscriptions = leaving.clone();
        async move {
            let answer = match data {
                Ok(data) => subscriptions.lock().await.unsubscribe(&data),
                Err(_) => refusal("the message cannot be parsed".to_owned()),
            };
            drop(ack.send(&answer));
        }
    });
    let (transport, ending) = (SocketIoTransport(socket.clone()), subscriptions.clone());
    let watch = tokio::spawn(async move {
        let refused = standing.ended().await;
        ending.lock().await.end();
        transport.close(ENDED, ended(refused.code, refused)).await;
    });
    let watch = watch.abort_handle();
    socket.on_disconnect(move || async move {
        watch.abort();
        // The socket keeps its handlers, and they the subscriptions: the subscriptions must let go of the socket.
        subscriptions.lock().await.end();
    });
}

#[derive(Clone)]
struct SocketIoTransport(SocketRef);

impl Transport for SocketIoTransport {
    async fn send(&self, room: Room, message: &FeedMessage) -> bool {
        let Ok(data) = serde_json::from_str::<&RawValue>(&message.data) else { return true };
        let position = json!({"position": message.position.to_string(), "room": room.to_string()});
        while self.0.connected() {
            match self.0.emit(message.event, &(data, &position)) {
                Ok(()) => return true,
                Err(_) => tokio::time::sleep(RETRY_DELAY).await,
            }
        }
        false
    }

    async fn close(&self, event: &'static str, data: String) {
        let Ok(data) = serde_json::from_str::<&RawValue>(&data) else { return };
        // The client may have to make room first; one that reads nothing misses its next ping, and the engine drops it.
        while self.0.connected() && self.0.emit(event, data).is_err() {
            tokio::time::sleep(RETRY_DELAY).await;
        }
        while self.0.connected() && self.0.clone().disconnect().is_err() {
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }
}
