//! The connection to NATS: client, JetStream context, and the names of streams, buckets and subjects with the
//! installation's prefix. Streams are declared in `streams`.

use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream;
use async_nats::{Client, ConnectOptions, Event};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tracing::warn;

use crate::buckets::BucketName;
use crate::credentials::Credentials;
use crate::error_chain::error_chain;
use crate::streams::{self, Stream, StreamSizes};
use crate::{send, server_check};

/// How to reach NATS, and how this installation names and sizes its streams.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Server addresses separated by commas, such as `nats://127.0.0.1:4222`.
    pub url: String,
    /// Prefix of every stream, bucket and subject: empty in production, unique per test.
    pub stream_prefix: String,
    /// Replicas of every stream: 1 or 3.
    pub replicas: usize,
    /// Size limits of the streams.
    pub sizes: StreamSizes,
    /// User, password and TLS files.
    pub credentials: Credentials,
    /// The name that the server shows for this connection.
    pub client_name: String,
    /// How long [`Log::connect`] keeps retrying.
    pub connect_deadline: Duration,
    /// How long one request to the server may take.
    pub request_timeout: Duration,
}

impl Settings {
    /// Returns settings for one server without authentication, with one replica and no prefix.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            stream_prefix: String::new(),
            replicas: 1,
            sizes: StreamSizes::default(),
            credentials: Credentials::default(),
            client_name: "argusiq".to_owned(),
            connect_deadline: Duration::from_secs(15),
            request_timeout: Duration::from_secs(5),
        }
    }

    /// Returns these settings with a prefix for every stream, bucket and subject.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.stream_prefix = prefix.into();
        self
    }

    /// Returns these settings with other stream sizes.
    #[must_use]
    pub fn with_sizes(mut self, sizes: StreamSizes) -> Self {
        self.sizes = sizes;
        self
    }

    /// Returns the full name of a stream: `P_ES` with prefix `P`.
    pub fn stream_name(&self, stream: Stream) -> String {
        self.named(stream.name())
    }

    /// Returns the full name of a bucket: `P_snapshots` with prefix `P`.
    pub fn bucket_name(&self, bucket: BucketName) -> String {
        self.named(bucket.name())
    }

    /// Returns a full subject: `P.es.acme.device.7` with prefix `P`.
    pub fn subject(&self, stream: Stream, tail: &str) -> String {
        let subject = streams::subject(stream, tail);
        if self.stream_prefix.is_empty() { subject } else { format!("{}.{subject}", self.stream_prefix) }
    }

    /// Returns a full subject without its prefix.
    pub(crate) fn unprefixed<'a>(&self, subject: &'a str) -> &'a str {
        if self.stream_prefix.is_empty() {
            return subject;
        }
        subject.strip_prefix(self.stream_prefix.as_str()).and_then(|rest| rest.strip_prefix('.')).unwrap_or(subject)
    }

    fn named(&self, name: &str) -> String {
        if self.stream_prefix.is_empty() { name.to_owned() } else { format!("{}_{name}", self.stream_prefix) }
    }
}

/// Why a connection is not usable.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The prefix contains characters that stream names and subjects do not allow.
    #[error("stream prefix {0:?} must consist of letters, digits, `-` and `_`")]
    Prefix(String),
    /// No server answered in time.
    #[error("no NATS server at {url} answered within {seconds} s")]
    Connect {
        /// The addresses tried.
        url: String,
        /// How long they were tried, in seconds.
        seconds: u64,
        /// The last error.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The address contains a user or password, which would be exposed wherever the address is shown.
    #[error("the NATS address must not contain a user or password: set nats.user and nats.password_file")]
    Address,
    /// The server rejects the user or the password.
    #[error("NATS at {url} rejects {user}: check nats.user and its password")]
    Refused {
        /// The addresses tried.
        url: String,
        /// The rejected user.
        user: String,
    },
    /// One side does not trust the other's certificate, or a configured file is not a certificate.
    #[error(
        "TLS with NATS at {url} failed: check nats.tls_ca_file, and the client certificate and key if the server \
         requires them"
    )]
    Tls {
        /// The addresses tried.
        url: String,
        /// The TLS error.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The server lacks required features.
    #[error("nats-server {found} at {url} is too old: {needed} or later is needed")]
    TooOld {
        /// The server's address.
        url: String,
        /// Its version as it reports it.
        found: String,
        /// The oldest supported version.
        needed: &'static str,
    },
    /// The server runs without JetStream, or this user's account has none.
    #[error("JetStream is not enabled on NATS at {url}: enable it on the server and for this user's account")]
    NoJetStream {
        /// The server's address.
        url: String,
    },
    /// The connection is down at the moment.
    #[error("the connection to NATS at {0} is down")]
    Disconnected(String),
    /// The server is connected, but JetStream does not answer.
    #[error("JetStream at {url} does not answer")]
    JetStream {
        /// The server's address.
        url: String,
        /// The failed request.
        #[source]
        source: jetstream::context::AccountError,
    },
}

/// The connected event log. Clones share one connection, which reconnects automatically and without limit.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    client: Client,
    jetstream: jetstream::Context,
    /// Counts disconnections.
    breaks: watch::Receiver<u64>,
}

impl Log {
    /// Connects, retrying with growing pauses until the settings' deadline, and checks the server. Errors that waiting
    /// does not resolve (credentials, certificates, an old server) are returned immediately. Every error names the
    /// address.
    pub async fn connect(settings: Settings) -> Result<Log, Error> {
        check_prefix(&settings.stream_prefix)?;
        check_address(&settings.url)?;
        let deadline = Instant::now() + settings.connect_deadline;
        let mut pauses = send::backoff();
        let (broke, breaks) = watch::channel(0);
        let broke = Arc::new(broke);
        let client = loop {
            let source = match options(&settings, broke.clone()).connect(addresses(&settings.url)).await {
                Ok(client) => break client,
                Err(source) => source,
            };
            if let Some(refusal) = server_check::refusal(&settings, &source) {
                return Err(refusal(source));
            }
            match pauses.next().filter(|pause| Instant::now() + *pause < deadline) {
                Some(pause) => sleep(pause).await,
                None => {
                    let seconds = settings.connect_deadline.as_secs();
                    return Err(Error::Connect { url: settings.url, seconds, source });
                }
            }
        };
        let jetstream =
            jetstream::context::ContextBuilder::new().timeout(settings.request_timeout).build(client.clone());
        let log = Log { inner: Arc::new(Inner { settings, client, jetstream, breaks }) };
        log.check_server(deadline).await?;
        Ok(log)
    }

    /// Returns whether the connection is up.
    pub fn is_connected(&self) -> bool {
        self.inner.client.connection_state() == State::Connected
    }

    /// Checks that JetStream answers, for readiness checks.
    pub async fn ping(&self) -> Result<(), Error> {
        let url = || self.inner.settings.url.clone();
        if !self.is_connected() {
            return Err(Error::Disconnected(url()));
        }
        let asked = self.inner.jetstream.query_account().await;
        asked.map(|_| ()).map_err(|source| Error::JetStream { url: url(), source })
    }

    /// Returns the settings this connection was made with.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Returns a receiver that changes on every disconnection; a request in flight at that moment will get no reply.
    pub(crate) fn breaks(&self) -> watch::Receiver<u64> {
        let mut breaks = self.inner.breaks.clone();
        breaks.mark_unchanged();
        breaks
    }

    pub(crate) fn client(&self) -> &Client {
        &self.inner.client
    }

    pub(crate) fn jetstream(&self) -> &jetstream::Context {
        &self.inner.jetstream
    }

    pub(crate) fn stream_name(&self, stream: Stream) -> String {
        self.inner.settings.stream_name(stream)
    }

    pub(crate) fn subject(&self, stream: Stream, tail: &str) -> String {
        self.inner.settings.subject(stream, tail)
    }

    /// Waits until the connection is up or `deadline` passes; returns whether it is up.
    pub(crate) async fn connected_by(&self, deadline: Instant) -> bool {
        let wait = deadline.saturating_duration_since(Instant::now());
        let up = async {
            while !self.is_connected() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        self.is_connected() || timeout(wait, up).await.is_ok()
    }
}

/// Builds the connect options. Pings every 500 ms detect a frozen server within 2 s (after three pings without a pong),
/// so that the client fails over to another server and commands are answered again soon.
fn options(settings: &Settings, broke: Arc<watch::Sender<u64>>) -> ConnectOptions {
    let options = ConnectOptions::new()
        .name(&settings.client_name)
        .connection_timeout(Duration::from_secs(2))
        .request_timeout(Some(settings.request_timeout))
        .ping_interval(Duration::from_millis(500))
        .reconnect_delay_callback(reconnect_delay)
        .event_callback(move |event| {
            match &event {
                Event::Disconnected => broke.send_modify(|breaks| *breaks += 1),
                Event::ServerError(error) => warn!(error = error_chain(error), "the NATS server reported an error"),
                _ => {}
            }
            std::future::ready(())
        });
    settings.credentials.apply(options)
}

/// Reconnects immediately at first, then after a delay that grows by 50 ms up to 500 ms: a restarted server is found
/// quickly, and many clients do not flood one that is gone.
fn reconnect_delay(attempts: usize) -> Duration {
    Duration::from_millis((attempts.saturating_sub(1) as u64 * 50).min(500))
}

fn check_prefix(prefix: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if prefix.chars().all(allowed) { Ok(()) } else { Err(Error::Prefix(prefix.to_owned())) }
}

/// Splits a comma-separated list of addresses.
fn addresses(url: &str) -> Vec<String> {
    url.split(',').map(|address| address.trim().to_owned()).filter(|address| !address.is_empty()).collect()
}

fn check_address(url: &str) -> Result<(), Error> {
    if url.contains('@') { Err(Error::Address) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_precedes_streams_buckets_and_subjects() {
        let settings = Settings::new("nats://127.0.0.1:1").with_prefix("t1");
        assert_eq!(settings.stream_name(Stream::Es), "t1_ES");
        assert_eq!(settings.bucket_name(BucketName::Snapshots), "t1_snapshots");
        assert_eq!(settings.subject(Stream::Es, "acme.device.7"), "t1.es.acme.device.7");
        assert_eq!(settings.subject(Stream::Presence, "3"), "t1.presence.v1.3");
        assert_eq!(settings.unprefixed("t1.es.acme.device.7"), "es.acme.device.7");
        assert_eq!(Settings::new("x").subject(Stream::Es, ">"), "es.>");
    }

    #[test]
    fn a_prefix_with_a_dot_or_a_wildcard_is_refused() {
        for prefix in ["a.b", "a*", ">", "a b"] {
            assert!(matches!(check_prefix(prefix), Err(Error::Prefix(_))), "{prefix}");
        }
    }

    #[tokio::test]
    async fn an_address_with_a_password_is_refused_and_not_shown() {
        let error = Log::connect(Settings::new("nats://api:hunter2@127.0.0.1:4222")).await.err().unwrap();
        assert!(error.to_string().contains("nats.password_file") && !format!("{error:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn an_unreachable_server_is_named_in_the_error() {
        let mut settings = Settings::new("nats://127.0.0.1:9");
        settings.connect_deadline = Duration::from_millis(100);
        let error = Log::connect(settings).await.err().unwrap();
        assert!(error.to_string().contains("nats://127.0.0.1:9"), "{error}");
    }
}
