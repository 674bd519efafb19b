//! Creates declared streams and buckets that are absent and compares those that exist. A difference is an error that
//! shows both sides; nothing is changed implicitly.

use std::fmt;

use async_nats::jetstream::context::{CreateStreamError, GetStreamError, GetStreamErrorKind, UpdateStreamError};
use async_nats::jetstream::stream::{Compression, Config};

use super::{Stream, config};
use crate::buckets::BucketName;
use crate::connection::Log;

/// JetStream's error code for a stream that does not exist.
const STREAM_NOT_FOUND: u64 = 10059;
/// The setting with a stream's number of replicas.
pub(super) const REPLICAS: &str = "num_replicas";

/// Why the streams are not as declared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Streams differ from their declaration.
    #[error("the streams on the server differ from their declaration:\n{}", lines(.0))]
    Different(Vec<Difference>),
    /// Streams differ from their declaration only in the number of replicas.
    #[error(
        "nats.replicas is {declared}, and {count} streams on the server have {present}: run `argusiq migrate --replicas \
         {declared}`, or set nats.replicas to {present}"
    )]
    Replicas {
        /// The configured number of replicas.
        declared: String,
        /// The number on the server, of the first stream that differs.
        present: String,
        /// How many streams and buckets differ.
        count: usize,
    },
    /// Streams are missing, and the caller may not create them.
    #[error("the server lacks the streams {}; run the migrations first", .0.join(", "))]
    Missing(Vec<String>),
    /// A stream could not be read.
    #[error("cannot read the configuration of stream {stream}")]
    Read {
        /// The stream's full name.
        stream: String,
        /// The server's answer.
        #[source]
        source: GetStreamError,
    },
    /// A stream could not be created.
    #[error("cannot create stream {stream}")]
    Create {
        /// The stream's full name.
        stream: String,
        /// The server's answer.
        #[source]
        source: CreateStreamError,
    },
    /// A stream's replicas did not catch up in time.
    #[error("the replicas of stream {stream} are not in sync after {seconds} s: check the servers' logs, then retry")]
    Incomplete {
        /// The stream's full name.
        stream: String,
        /// How long the caller waited, in seconds.
        seconds: u64,
    },
    /// A stream could not be updated.
    #[error("cannot update stream {stream} to its declaration")]
    Update {
        /// The stream's full name.
        stream: String,
        /// The server's answer.
        #[source]
        source: UpdateStreamError,
    },
}

/// One setting of one stream that differs from its declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The stream's full name.
    pub stream: String,
    /// The setting's name in the server's configuration.
    pub setting: &'static str,
    /// The declared value.
    pub declared: String,
    /// The value on the server.
    pub present: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: declared {}, on the server {}", self.stream, self.setting, self.declared, self.present)
    }
}

impl Log {
    /// Creates every absent declared stream and bucket and compares the existing ones. Errors with [`Error::Different`]
    /// when one differs; absent ones are created nevertheless.
    pub async fn declare_streams(&self) -> Result<(), Error> {
        let mut differences = Vec::new();
        for declared in self.declared() {
            match self.present(&declared.name).await? {
                Some(present) => differences.extend(compare(&declared, &present)),
                None => differences.extend(self.create(declared).await?),
            }
        }
        none_of(differences, different)
    }

    /// Compares every declared stream and bucket with the server and creates nothing.
    pub async fn check_streams(&self) -> Result<(), Error> {
        let (mut differences, mut missing) = (Vec::new(), Vec::new());
        for declared in self.declared() {
            match self.present(&declared.name).await? {
                Some(present) => differences.extend(compare(&declared, &present)),
                None => missing.push(declared.name),
            }
        }
        none_of(missing, Error::Missing)?;
        none_of(differences, different)
    }

    /// Updates every stream that differs to its declaration, and creates absent ones. The server refuses changes it
    /// does not support, such as lifting the denial of deletes.
    pub async fn change_streams(&self) -> Result<Vec<Difference>, Error> {
        let mut changed = Vec::new();
        for declared in self.declared() {
            match self.present(&declared.name).await? {
                None => changed.extend(self.create(declared).await?),
                Some(present) => {
                    let differences = compare(&declared, &present);
                    if !differences.is_empty() {
                        self.update(declared).await?;
                    }
                    changed.extend(differences);
                }
            }
        }
        Ok(changed)
    }

    pub(super) fn declared(&self) -> impl Iterator<Item = Config> {
        let streams = Stream::ALL.into_iter().map(|stream| config::stream_config(stream, self.settings()));
        let buckets = BucketName::ALL.into_iter().map(|bucket| config::bucket_config(bucket, self.settings()));
        streams.chain(buckets)
    }

    pub(super) async fn present(&self, name: &str) -> Result<Option<Config>, Error> {
        match self.jetstream().get_stream(name).await {
            Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(source) => Err(Error::Read { stream: name.to_owned(), source }),
        }
    }

    async fn create(&self, declared: Config) -> Result<Vec<Difference>, Error> {
        let name = declared.name.clone();
        match self.jetstream().create_stream(declared.clone()).await {
            Ok(_) => Ok(Vec::new()),
            // Another process may have created it in the meantime; then compare it like any other.
            Err(source) => match self.present(&name).await? {
                Some(present) => Ok(compare(&declared, &present)),
                None => Err(Error::Create { stream: name, source }),
            },
        }
    }

    pub(super) async fn update(&self, declared: Config) -> Result<(), Error> {
        let stream = declared.name.clone();
        self.jetstream().update_stream(declared).await.map_err(|source| Error::Update { stream, source })?;
        Ok(())
    }
}

/// Compares every setting that affects what a stream stores, refuses or returns.
fn compare(declared: &Config, present: &Config) -> Vec<Difference> {
    let declared_settings = settings(declared);
    let pairs = declared_settings.into_iter().zip(settings(present));
    pairs
        .filter(|((_, declared), (_, present))| declared != present)
        .map(|((setting, ours), (_, theirs))| Difference {
            stream: declared.name.clone(),
            setting,
            declared: ours,
            present: theirs,
        })
        .collect()
}

fn settings(config: &Config) -> Vec<(&'static str, String)> {
    let compression = config.compression.clone().unwrap_or(Compression::None);
    vec![
        ("subjects", config.subjects.join(" ")),
        ("storage", format!("{:?}", config.storage)),
        ("retention", format!("{:?}", config.retention)),
        ("discard", format!("{:?}", config.discard)),
        (REPLICAS, config.num_replicas.to_string()),
        ("max_bytes", config.max_bytes.to_string()),
        ("max_age", format!("{:?}", config.max_age)),
        ("max_msgs", config.max_messages.to_string()),
        ("max_msgs_per_subject", config.max_messages_per_subject.to_string()),
        ("max_msg_size", config.max_message_size.to_string()),
        ("deny_delete", config.deny_delete.to_string()),
        ("deny_purge", config.deny_purge.to_string()),
        ("allow_direct", config.allow_direct.to_string()),
        ("allow_rollup_hdrs", config.allow_rollup.to_string()),
        ("duplicate_window", format!("{:?}", config.duplicate_window)),
        ("compression", format!("{compression:?}")),
        ("sealed", config.sealed.to_string()),
        ("no_ack", config.no_ack.to_string()),
        ("allow_msg_ttl", config.allow_message_ttl.to_string()),
        ("persist_mode", config.persist_mode.map_or_else(|| "Default".to_owned(), |mode| format!("{mode:?}"))),
    ]
}

/// Builds the error; a difference in replicas alone gets its own explanation, because changing them is a routine
/// operation.
fn different(differences: Vec<Difference>) -> Error {
    match differences.first() {
        Some(first) if differences.iter().all(|difference| difference.setting == REPLICAS) => Error::Replicas {
            declared: first.declared.clone(),
            present: first.present.clone(),
            count: differences.len(),
        },
        _ => Error::Different(differences),
    }
}

fn is_not_found(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(answer) if answer.error_code().0 == STREAM_NOT_FOUND)
}

fn none_of<T>(found: Vec<T>, error: impl FnOnce(Vec<T>) -> Error) -> Result<(), Error> {
    if found.is_empty() { Ok(()) } else { Err(error(found)) }
}

fn lines(differences: &[Difference]) -> String {
    differences.iter().map(|difference| format!("  {difference}")).collect::<Vec<_>>().join("\n")
}
