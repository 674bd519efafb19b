//! A client for single HTTP requests to servers in the private network; each request opens its own connection. Retries
//! are left to the callers.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::http::request::Builder;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// Timeout of a request, including its response.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest response in bytes: a revocation list of half a million certificates.
const MAX_RESPONSE_BYTES: usize = 32 << 20;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection was refused or failed.
    #[error("failed to connect")]
    Connect(#[source] std::io::Error),
    /// The connection broke, or the response is not HTTP.
    #[error("the HTTP exchange failed")]
    Http(#[source] hyper::Error),
    /// The request is invalid.
    #[error("invalid request")]
    Request(#[source] hyper::http::Error),
    /// The response ended early or is too large.
    #[error("failed to read the response body")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The response took too long.
    #[error("timed out waiting for the response")]
    Timeout,
}

/// Sends a request to `host:port`; returns status and body.
pub async fn send(authority: &str, request: Builder) -> Result<(u16, Bytes), Error> {
    timeout(TIMEOUT, attempt(authority, request)).await.unwrap_or(Err(Error::Timeout))
}

async fn attempt(authority: &str, request: Builder) -> Result<(u16, Bytes), Error> {
    let request = request.header(HOST, authority).body(Empty::<Bytes>::new()).map_err(Error::Request)?;
    let socket = TcpStream::connect(authority).await.map_err(Error::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(Error::Http)?;
    // The connection is driven in the background until the response has been read.
    let _driving = AbortOnDropHandle::new(tokio::spawn(connection));
    let answer = sender.send_request(request).await.map_err(Error::Http)?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MAX_RESPONSE_BYTES).collect().await.map_err(Error::Body)?;
    Ok((status, body.to_bytes()))
}

/// Returns the `host:port` of `http://host:port`. TLS is not supported: these servers are in a private network.
pub fn authority(url: &str) -> Option<String> {
    let uri: hyper::Uri = url.parse().ok()?;
    let plain = uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/") && uri.query().is_none();
    let authority = uri.authority().filter(|authority| plain && !authority.as_str().contains('@'))?;
    Some(format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_http_without_a_path() {
        assert_eq!(authority("http://emqx:18083"), Some("emqx:18083".to_owned()));
        assert_eq!(authority("http://10.0.0.1/"), Some("10.0.0.1:80".to_owned()));
        for wrong in ["", "emqx:18083", "https://emqx:18083", "http://emqx:18083/api", "http://key:secret@emqx:18083"] {
            assert_eq!(authority(wrong), None, "{wrong}");
        }
    }
}
