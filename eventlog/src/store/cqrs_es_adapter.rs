//! Implements cqrs-es's `EventStore` trait on top of the store, for its framework and test tools. There, aggregate ids
//! have the form `<organization>/<id>`.

use std::collections::HashMap;

use cqrs_es::{Aggregate, AggregateError, EventEnvelope, EventStore};

use super::AggregateStore;
use super::error::Error;
use super::key::AggregateKey;
use super::loaded::Loaded;

impl<A: Aggregate + Clone> EventStore<A> for AggregateStore<A> {
    type AC = Loaded<A>;

    async fn load_events(&self, aggregate_id: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let key = AggregateKey::of_path(A::TYPE, aggregate_id).map_err(failure::<A>)?;
        self.events(key.organization(), key.id()).await.map_err(failure::<A>)
    }

    async fn load_aggregate(&self, aggregate_id: &str) -> Result<Loaded<A>, AggregateError<A::Error>> {
        let key = AggregateKey::of_path(A::TYPE, aggregate_id).map_err(failure::<A>)?;
        self.load(key.organization(), key.id()).await.map_err(failure::<A>)
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: Loaded<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let path = context.key().path();
        let appended = self.append(context, events, metadata).await.map_err(failure::<A>)?;
        let upcasters = &self.inner.folding.upcasters;
        let envelopes = appended.events.into_iter().map(|envelope| {
            let payload =
                envelope.event(upcasters).map_err(|source| AggregateError::DeserializationError(source.into()))?;
            let sequence = envelope.sequence as usize;
            Ok(EventEnvelope { aggregate_id: path.clone(), sequence, payload, metadata: envelope.metadata })
        });
        envelopes.collect()
    }
}

fn failure<A: Aggregate>(error: Error) -> AggregateError<A::Error> {
    match error {
        Error::Conflict { .. } => AggregateError::AggregateConflict,
        Error::Unavailable { .. } | Error::OutcomeUnknown { .. } | Error::Full { .. } => {
            AggregateError::DatabaseConnectionError(error.into())
        }
        Error::Decode { .. } => AggregateError::DeserializationError(error.into()),
        _ => AggregateError::UnexpectedError(error.into()),
    }
}
