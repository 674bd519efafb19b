//! The event log on NATS JetStream: connection, declared streams, envelopes, event store, publishing, the consume loop,
//! in-memory followers, partition ownership and key-value buckets. It is the only crate that depends on async-nats, and
//! it knows no domain types.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod audit;
pub mod buckets;
pub mod connection;
pub mod consumer;
mod credentials;
mod direct_get;
pub mod envelope;
mod error_chain;
pub mod follow;
pub mod inspect;
pub mod installation;
pub mod lane;
pub mod members;
pub mod message;
pub mod metric_names;
pub mod permissions;
pub mod position;
mod publish_error;
pub mod publisher;
pub mod rekey;
mod rendezvous;
pub mod secrets;
mod send;
mod server_check;
pub mod store;
pub mod streams;
pub mod upcasters;
pub mod writer;

pub use buckets::{Bucket, BucketName};
pub use connection::{Log, Settings};
pub use consumer::{
    Batch, Cause, ConsumeSettings, Consumer, Outcome, Rejection, Source, retry_until_upgraded, run, run_until,
};
pub use credentials::Credentials;
pub use envelope::{Envelope, RecordedEvent, decode_events};
pub use error_chain::error_chain;
pub use follow::{Follower, follow};
pub use lane::{Lane, LaneSettings};
pub use members::{Member, Membership};
pub use message::{Headers, Message};
pub use position::{Position, Positions};
pub use publish_error::PublishError;
pub use publisher::{Publisher, PublisherSettings};
pub use secrets::Secrets;
pub use streams::{PARTITIONS, Stream, StreamSizes, partition_of};
pub use upcasters::Upcasters;
pub use writer::SubjectWriter;
