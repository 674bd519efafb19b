//! One HTTP request to a server beside the platform, over a connection of its own. What is asked, and how often it is
//! tried, is not known here.

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

/// How long one request may take, its answer included.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer, octets: a revocation list of half a million certificates.
const MAX_RESPONSE_BYTES: usize = 32 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens there.
    #[error("it cannot be reached")]
    Connect(#[source] std::io::Error),
    /// The connection broke, or the answer is no HTTP.
    #[error("it does not answer")]
    Http(#[source] hyper::Error),
    /// The request is none.
    #[error("the request cannot be made")]
    Request(#[source] hyper::http::Error),
    /// The answer broke off or is too large.
    #[error("its answer cannot be read")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It takes too long.
    #[error("it does not answer in time")]
    Timeout,
}

/// Asks `host:port` once; answers the status and the body.
pub async fn send(authority: &str, request: Builder) -> Result<(u16, Bytes), Error> {
    timeout(TIMEOUT, attempt(authority, request)).await.unwrap_or(Err(Error::Timeout))
}

async fn attempt(authority: &str, request: Builder) -> Result<(u16, Bytes), Error> {
    let request = request.header(HOST, authority).body(Empty::<Bytes>::new()).map_err(Error::Request)?;
    let socket = TcpStream::connect(authority).await.map_err(Error::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(Error::Http)?;
    let _driving = AbortOnDropHandle::new(tokio::spawn(connection));
    let answer = sender.send_request(request).await.map_err(Error::Http)?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MAX_RESPONSE_BYTES).collect().await.map_err(Error::Body)?;
    Ok((status, body.to_bytes()))
}

/// Takes `host:port` out of `http://host:port`. TLS is not offered here: what is asked stays in a private network.
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
