//! An HTTP/1.1 client over TLS with a device's certificate or token, on one connection.

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

use crate::mqtt_client::tls_to;
use crate::test_platform::{Device, Door, TIMEOUT, TestPlatform};

/// The endpoint for one payload.
pub const TELEMETRY_PATH: &str = "/api/v1/telemetry";
/// The endpoint for batches.
pub const BATCH_PATH: &str = "/api/v1/telemetry/batch";

/// A door that also listens for HTTP.
pub struct HttpDoor {
    pub door: Door,
    pub address: SocketAddr,
}

/// Opens a door with HTTP and default settings.
pub async fn http_door(platform: &TestPlatform) -> HttpDoor {
    http_door_with(platform, |_, _| {}).await
}

/// Opens a door with HTTP and changed settings.
pub async fn http_door_with(platform: &TestPlatform, change: impl FnOnce(&mut Config, &mut HttpLimits)) -> HttpDoor {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let door = platform.door_with(|config| {
        let mut limits = HttpLimits::default();
        change(config, &mut limits);
        config.http = Some(HttpConfig { listen: Listen::Socket(listener), limits });
    });
    HttpDoor { door: door.await, address }
}

/// The response to a request.
#[derive(Debug)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: hyper::HeaderMap,
    pub json: Value,
}

impl HttpResponse {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Asserts that this is a problem with this status and reason.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, reason: &str) {
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

    /// Connects without a certificate and uses this token.
    pub async fn with_token(door: &HttpDoor, token: &str) -> Self {
        Self::connect(door.address, &door.door.root_pem, None).await.with_bearer(token)
    }

    /// Uses this token on the connection.
    pub fn with_bearer(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    pub async fn connect(address: SocketAddr, root_pem: &str, identity: Option<(&str, &str)>) -> Self {
        let stream = tls_to(address, root_pem, identity).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, token: None }
    }

    pub async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> HttpResponse {
        self.request("POST", path, body).await.expect("an answer")
    }

    pub async fn request(&mut self, method: &str, path: &str, body: impl Into<Bytes>) -> Option<HttpResponse> {
        let mut request = hyper::Request::builder().method(method).uri(path).header("host", "localhost");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.header("content-type", "application/json").body(Full::new(body.into())).unwrap();
        let exchange = async {
            let answer = self.sender.send_request(request).await.ok()?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
            Some(HttpResponse { status: head.status.as_u16(), headers: head.headers, json })
        };
        timeout(TIMEOUT + Duration::from_secs(5), exchange).await.expect("an answer in time")
    }
}
