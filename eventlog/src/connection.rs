//! The connection to NATS and what every module needs of it: client, JetStream context, names with the installation's
//! prefix. Not the streams themselves.

use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream;
use async_nats::{Client, ConnectOptions};
use tokio::time::{Instant, sleep, timeout};

use crate::buckets::BucketName;
use crate::send;
use crate::streams::{self, Stream, StreamSizes};

/// How to reach NATS, and how this installation's streams are named and sized.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Server addresses, separated by commas, such as `nats://127.0.0.1:4222`.
    pub url: String,
    /// What stands before every stream, bucket and subject; empty in production, a name per test otherwise.
    pub stream_prefix: String,
    /// Copies of every stream: 1 or 3.
    pub replicas: usize,
    /// The sizes of the streams.
    pub sizes: StreamSizes,
    /// User name; with it goes `password`.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: Option<String>,
    /// The name the server shows for this connection.
    pub client_name: String,
    /// How long [`Log::connect`] keeps trying.
    pub connect_deadline: Duration,
    /// How long one request to the server may take.
    pub request_timeout: Duration,
}

impl Settings {
    /// Returns settings for one server without authentication, one replica and no prefix.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            stream_prefix: String::new(),
            replicas: 1,
            sizes: StreamSizes::default(),
            user: None,
            password: None,
            client_name: "argusiq".to_owned(),
            connect_deadline: Duration::from_secs(15),
            request_timeout: Duration::from_secs(5),
        }
    }

    /// Returns these settings with a prefix before every stream, bucket and subject.
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

/// Why there is no usable connection.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The prefix cannot stand in a stream's name and in a subject.
    #[error("stream prefix {0:?} must consist of letters, digits, `-` and `_`")]
    Prefix(String),
    /// No server answered in time.
    #[error("no NATS server at {url} answered within {seconds} s")]
    Connect {
        /// The addresses that were tried.
        url: String,
        /// How long they were tried.
        seconds: u64,
        /// The last answer.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The server is not reached at present.
    #[error("the connection to NATS at {0} is down")]
    Disconnected(String),
    /// The server is reached and JetStream does not answer.
    #[error("JetStream at {url} does not answer")]
    JetStream {
        /// The server's address.
        url: String,
        /// The failed request.
        #[source]
        source: jetstream::context::AccountError,
    },
}

/// The connected event log. Clones share one connection, which reconnects by itself for ever.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    client: Client,
    jetstream: jetstream::Context,
}

impl Log {
    /// Connects, trying again with growing pauses until the settings' deadline.
    /// Errors with [`Error::Connect`], which names the address.
    pub async fn connect(settings: Settings) -> Result<Log, Error> {
        check_prefix(&settings.stream_prefix)?;
        let deadline = Instant::now() + settings.connect_deadline;
        let mut pauses = send::pauses();
        let client = loop {
            match options(&settings).connect(settings.url.as_str()).await {
                Ok(client) => break client,
                Err(source) => match pauses.next().filter(|pause| Instant::now() + *pause < deadline) {
                    Some(pause) => sleep(pause).await,
                    None => {
                        let seconds = settings.connect_deadline.as_secs();
                        return Err(Error::Connect { url: settings.url, seconds, source });
                    }
                },
            }
        };
        let jetstream =
            jetstream::context::ContextBuilder::new().timeout(settings.request_timeout).build(client.clone());
        Ok(Log { inner: Arc::new(Inner { settings, client, jetstream }) })
    }

    /// Tells whether the connection is up at this moment.
    pub fn is_connected(&self) -> bool {
        self.inner.client.connection_state() == State::Connected
    }

    /// Asks JetStream for an answer, for readiness checks.
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

    /// Waits until the connection is up, at most until `deadline`; tells whether it is.
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

fn options(settings: &Settings) -> ConnectOptions {
    let mut options = ConnectOptions::new()
        .name(&settings.client_name)
        .connection_timeout(Duration::from_secs(3))
        .request_timeout(Some(settings.request_timeout))
        .ping_interval(Duration::from_secs(5))
        .reconnect_delay_callback(reconnect_delay);
    if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
        options = options.user_and_password(user.clone(), password.clone());
    }
    options
}

/// At once, then 50 ms longer each time up to 500 ms: a server that restarts is found quickly, and many clients do not
/// hammer one that is gone.
fn reconnect_delay(attempts: usize) -> Duration {
    Duration::from_millis((attempts.saturating_sub(1) as u64 * 50).min(500))
}

fn check_prefix(prefix: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if prefix.chars().all(allowed) { Ok(()) } else { Err(Error::Prefix(prefix.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_stands_before_streams_buckets_and_subjects() {
        let settings = Settings::new("nats://127.0.0.1:1").with_prefix("t1");
        assert_eq!(settings.stream_name(Stream::Es), "t1_ES");
        assert_eq!(settings.bucket_name(BucketName::Snapshots), "t1_snapshots");
        assert_eq!(settings.subject(Stream::Es, "acme.device.7"), "t1.es.acme.device.7");
        assert_eq!(settings.subject(Stream::Ticks, ""), "t1.ticks.v1");
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
    async fn an_unreachable_server_is_named_in_the_error() {
        let mut settings = Settings::new("nats://127.0.0.1:9");
        settings.connect_deadline = Duration::from_millis(100);
        let error = Log::connect(settings).await.err().unwrap();
        assert!(error.to_string().contains("nats://127.0.0.1:9"), "{error}");
    }
}
