//! Backend of the conformance suite: the store under test uses the journal in PostgreSQL, with a running relay.

use std::sync::Arc;

use eventlog::store::{AggregateStore, StoreSettings};
use eventlog::{Log, Settings, StreamSizes, Upcasters};
use pgstore::{PostgresJournal, Relay};
use sqlx::{Connection, PgConnection};
use stack::Server;
use stack::testing::{TestStack, sql};

use crate::counter::Counter;
use crate::fixture::Place;
use crate::proxy::{Proxy, authority};

/// The server that writers depend on.
pub const SERVER: Server = Server::Postgres;

const TABLES: &str = include_str!("../../../migrations/0031_event_store.sql");

/// The journal and relay of this process.
#[derive(Clone)]
pub struct Backend {
    pub journal: Arc<PostgresJournal>,
    pub database: String,
    _relay: Arc<Relay>,
}

/// Returns unique streams and a unique database on the shared test servers.
pub async fn place() -> Place {
    let space = stack::testing::space().await;
    sql(&space.postgres, TABLES).await.unwrap();
    let settings = Settings::new(space.nats).with_prefix(space.stream_prefix).with_sizes(StreamSizes::small());
    Place { settings, database: space.postgres }
}

/// Starts dedicated servers.
pub async fn own_stack() -> (TestStack, Place) {
    let stack = TestStack::start(|options| {
        let mut options = options.only(SERVER);
        options.nats = true;
        options
    });
    let stack = stack.await.unwrap();
    let settings = Settings::new(stack.urls().nats.clone()).with_sizes(StreamSizes::small());
    let database = stack.urls().postgres.clone();
    sql(&database, TABLES).await.unwrap();
    (stack, Place { settings, database })
}

/// Returns the same location behind a proxy in front of the server that stores the events.
pub async fn proxied(place: &Place) -> (Proxy, Place) {
    let proxy = Proxy::before(&place.database).await;
    let database = place.database.replace(authority(&place.database), &proxy.address().to_string());
    (proxy, Place { database, ..place.clone() })
}

impl Backend {
    pub async fn open(place: &Place, log: &Log) -> Self {
        let journal = PostgresJournal::new(&place.database, log).unwrap();
        let relay = Arc::new(journal.relay());
        Self { journal, database: place.database.clone(), _relay: relay }
    }

    pub fn store(&self, log: &Log, upcasters: Upcasters, settings: StoreSettings) -> AggregateStore<Counter> {
        AggregateStore::with_journal(self.journal.clone(), log, upcasters, settings)
    }

    pub async fn plant(&self, _: &Log, tail: &str, payload: &str) -> u64 {
        let statement = "SELECT event_store_append('ES', $1, (SELECT coalesce(max(position), 0) FROM event_store
            WHERE subject = $1), $2)";
        let planted = sqlx::query_scalar(statement).bind(format!("es.{tail}")).bind(payload.as_bytes());
        let position: i64 = planted.fetch_one(&mut self.connect().await).await.unwrap();
        position as u64
    }

    pub async fn last(&self, _: &Log) -> u64 {
        let last = sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM event_store WHERE stream = 'ES'");
        let last: i64 = last.fetch_one(&mut self.connect().await).await.unwrap();
        last as u64
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.database).await.unwrap()
    }
}
