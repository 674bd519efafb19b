//! A device that speaks HTTP over TLS, one connection for as long as it likes.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use ingest::{Config, HttpConfig, HttpLimits, Listen};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::client::tls_to;
use crate::world::{Device, Door, PATIENCE, World};

/// Where telemetry goes.
pub const ONE: &str = "/api/v1/telemetry";
/// Where many go.
pub const MANY: &str = "/api/v1/telemetry/batch";

/// A door that is open for HTTP as well.
pub struct HttpDoor {
    pub door: Door,
    pub address: SocketAddr,
}

/// Opens a door with HTTP and defaults.
pub async fn http_door(world: &World) -> HttpDoor {
    http_door_with(world, |_, _| {}).await
}

/// Opens a door with HTTP and changed settings.
pub async fn http_door_with(world: &World, change: impl FnOnce(&mut Config, &mut HttpLimits)) -> HttpDoor {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let door = world.door_with(|config| {
        let mut limits = HttpLimits::default();
        change(config, &mut limits);
        config.http = Some(HttpConfig { listen: Listen::Socket(listener), limits });
    });
    HttpDoor { door: door.await, address }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    pub json: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A problem of this status and reason.
    #[track_caller]
    pub fn problem(&self, status: u16, reason: &str) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert_eq!((self.status, &self.json["status"]), (status, &Value::from(status)), "{self:?}");
        assert_eq!(self.json["reason"], reason, "{self:?}");
    }
}

/// An open connection.
pub struct HttpClient {
    sender: SendRequest<Full<Bytes>>,
    token: Option<String>,
}

impl HttpClient {
    /// Connects with the device's certificate.
    pub async fn with_certificate(door: &HttpDoor, device: &Device) -> Self {
        let key = device.issued.private_key_pem.as_ref().unwrap();
        Self::connect(door.address, &door.door.root_pem, Some((&device.issued.chain_pem, key.expose()))).await
    }

    /// Connects without a certificate, with this token.
    pub async fn with_token(door: &HttpDoor, token: &str) -> Self {
        Self::connect(door.address, &door.door.root_pem, None).await.bearing(token)
    }

    /// The same connection, with this token.
    pub fn bearing(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    pub async fn connect(address: SocketAddr, root_pem: &str, identity: Option<(&str, &str)>) -> Self {
        let stream = tls_to(address, root_pem, identity).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, token: None }
    }

    pub async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.ask("POST", path, body).await.expect("an answer")
    }

    pub async fn ask(&mut self, method: &str, path: &str, body: impl Into<Bytes>) -> Option<Answer> {
        let mut request = hyper::Request::builder().method(method).uri(path).header("host", "localhost");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.header("content-type", "application/json").body(Full::new(body.into())).unwrap();
        let asking = async {
            let answer = self.sender.send_request(request).await.ok()?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
            Some(Answer { status: head.status.as_u16(), headers: head.headers, json })
        };
        timeout(PATIENCE + Duration::from_secs(5), asking).await.expect("an answer in time")
    }
}
