//! The store under test on unique streams of real servers. The backend decides where its events are stored.

use std::collections::HashMap;

use eventlog::store::{AggregateStore, Appended, Error, Loaded, StoreSettings};
use eventlog::{Log, Settings, Upcasters};

use crate::backend::{self, Backend};
use crate::counter::{Counter, CounterEvent};
use crate::suite::{self, Answer, Current, Failure, StoreUnderTest, StoredEvent};

/// A store's location: its streams, and the database if the backend has one.
#[derive(Clone, Debug)]
pub struct Place {
    pub settings: Settings,
    pub database: String,
}

/// A store with everything needed to open another one on the same data.
#[derive(Clone)]
pub struct Fixture {
    pub store: AggregateStore<Counter>,
    pub log: Log,
    pub place: Place,
    pub backend: Backend,
}

/// Opens a store in a unique location.
pub async fn store() -> Fixture {
    Fixture::open(backend::place().await, store_settings()).await
}

/// Returns settings with small limits, so that tests can exceed them.
pub fn store_settings() -> StoreSettings {
    StoreSettings { snapshot_every: 10, recent_commands: 8, ..StoreSettings::default() }
}

pub fn metadata(command_id: &str) -> HashMap<String, String> {
    [("command_id", command_id), ("actor", "tester")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}

/// Splits `<organization>/<id>`.
pub fn parts(id: &str) -> (&str, &str) {
    id.split_once('/').unwrap()
}

impl Fixture {
    pub async fn open(place: Place, store_settings: StoreSettings) -> Self {
        let log = Log::connect(place.settings.clone()).await.unwrap();
        log.declare_streams().await.unwrap();
        let backend = Backend::open(&place, &log).await;
        let store = backend.store(&log, Upcasters::none(), store_settings);
        Self { store, log, place, backend }
    }

    /// Returns another store on the same data, without a shared cache.
    pub fn over(&self, upcasters: Upcasters, store_settings: StoreSettings) -> AggregateStore<Counter> {
        self.backend.store(&self.log, upcasters, store_settings)
    }

    /// Stores a message that no event store wrote, and returns its position.
    pub async fn plant(&self, tail: &str, payload: &str) -> u64 {
        self.backend.plant(&self.log, tail, payload).await
    }

    /// Returns the position of the last message.
    pub async fn last(&self) -> u64 {
        self.backend.last(&self.log).await
    }

    pub async fn loaded(&self, id: &str) -> Loaded<Counter> {
        let (organization, id) = parts(id);
        self.store.load(organization, id).await.unwrap()
    }

    /// Loads, appends `events`, and returns the answer.
    pub async fn commit(&self, id: &str, command_id: &str, events: Vec<CounterEvent>) -> Appended {
        self.store.append(self.loaded(id).await, events, metadata(command_id)).await.unwrap()
    }
}

impl StoreUnderTest for Fixture {
    type Context = Loaded<Counter>;

    async fn elsewhere(&self) -> Self {
        Self::open(self.place.clone(), store_settings()).await
    }

    async fn load(&self, id: &str) -> Current<Loaded<Counter>> {
        let context = self.loaded(id).await;
        Current { state: context.state.clone(), version: context.version, context }
    }

    async fn append(
        &self,
        context: Loaded<Counter>,
        events: Vec<CounterEvent>,
        command_id: &str,
    ) -> Result<Answer, Failure> {
        self.store.append(context, events, metadata(command_id)).await.map(answer).map_err(failure)
    }

    async fn find(&self, id: &str, command_id: &str) -> Option<Answer> {
        let (organization, id) = parts(id);
        self.store.find_command(organization, id, command_id).await.unwrap().map(answer)
    }

    async fn events(&self, id: &str) -> Vec<StoredEvent> {
        let (organization, id) = parts(id);
        let events = self.store.events(organization, id).await.unwrap();
        let stored = events.into_iter();
        stored.map(|e| StoredEvent { version: e.sequence as u64, event: e.payload, metadata: e.metadata }).collect()
    }
}

fn answer(appended: Appended) -> Answer {
    let event_ids = appended.events.iter().map(|envelope| envelope.event_id.to_string()).collect();
    Answer { position: appended.position, version: appended.version, event_ids, repeated: appended.repeated }
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Conflict { .. } => Failure::Conflict,
        Error::Full { .. } => Failure::Full,
        other => Failure::Other(format!("{other:?}")),
    }
}

/// Generates a test for each requirement of the suite.
macro_rules! requirements {
    ($($requirement:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $requirement() {
            suite::$requirement(store().await).await;
        }
    )*};
}

requirements!(
    what_is_appended_is_loaded,
    organizations_and_ids_do_not_mix,
    a_command_without_events_stores_nothing,
    a_stale_writer_gets_a_conflict_and_stores_nothing,
    concurrent_writers_lose_nothing_and_never_both_win,
    a_repeated_command_stores_nothing_and_answers_the_same,
    a_command_is_found_however_long_ago_it_was,
);
