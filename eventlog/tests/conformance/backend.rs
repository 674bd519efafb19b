//! Backend of the conformance suite: the store under test uses the journal in JetStream.

use eventlog::store::{AggregateStore, StoreSettings};
use eventlog::{Headers, Log, Publisher, PublisherSettings, Settings, Stream, StreamSizes, Upcasters};
use stack::Server;
use stack::testing::TestStack;

use crate::counter::Counter;
use crate::fixture::Place;
use crate::proxy::Proxy;

/// The server that writers depend on.
pub const SERVER: Server = Server::Nats;

/// This backend needs nothing besides the log.
#[derive(Clone)]
pub struct Backend;

/// Returns unique streams on the shared test servers.
pub async fn place() -> Place {
    let space = stack::testing::space().await;
    let settings = Settings::new(space.nats).with_prefix(space.stream_prefix).with_sizes(StreamSizes::small());
    Place { settings, database: String::new() }
}

/// Starts dedicated servers.
pub async fn own_stack() -> (TestStack, Place) {
    let stack = TestStack::start(|options| options.only(SERVER)).await.unwrap();
    let settings = Settings::new(stack.urls().nats.clone()).with_sizes(StreamSizes::small());
    (stack, Place { settings, database: String::new() })
}

/// Returns the same location behind a proxy in front of the server that stores the events.
pub async fn proxied(place: &Place) -> (Proxy, Place) {
    let proxy = Proxy::before(&place.settings.url).await;
    let settings = Settings { url: format!("nats://{}", proxy.address()), ..place.settings.clone() };
    (proxy, Place { settings, ..place.clone() })
}

impl Backend {
    pub async fn open(_: &Place, _: &Log) -> Self {
        Self
    }

    pub fn store(&self, log: &Log, upcasters: Upcasters, settings: StoreSettings) -> AggregateStore<Counter> {
        AggregateStore::new(log.clone(), upcasters, settings)
    }

    pub async fn plant(&self, log: &Log, tail: &str, payload: &str) -> u64 {
        let publisher = Publisher::new(log, PublisherSettings::default());
        publisher.publish(Stream::Es, tail, Headers::new(), payload.to_owned().into()).await.unwrap()
    }

    pub async fn last(&self, log: &Log) -> u64 {
        log.last_sequence(Stream::Es).await.unwrap()
    }
}
