//! A given/when/then harness for tests of aggregates. Compiled only for tests.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Decide;

/// An aggregate with its past events applied.
pub(crate) struct Given<A>(A);

/// The result of a command.
pub(crate) struct Outcome<E, R>(Result<Vec<E>, R>);

/// Applies past events; also checks that the state survives a snapshot round trip.
pub(crate) fn given<A>(events: impl IntoIterator<Item = A::Event>) -> Given<A>
where
    A: Decide + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let mut state = A::default();
    events.into_iter().for_each(|event| state.evolve(event));
    let snapshot = serde_json::to_string(&state).expect("the state serialises");
    assert_eq!(serde_json::from_str::<A>(&snapshot).expect("the snapshot deserialises"), state);
    Given(state)
}

/// Returns an aggregate without past events.
pub(crate) fn given_no_events<A>() -> Given<A>
where
    A: Decide + Serialize + DeserializeOwned + PartialEq + Debug,
{
    given([])
}

impl<A: Decide> Given<A> {
    /// Decides on a command.
    pub(crate) fn when(&self, command: A::Command) -> Outcome<A::Event, A::Error> {
        Outcome(self.0.decide(command))
    }

    /// Returns the aggregate's state.
    pub(crate) fn state(&self) -> &A {
        &self.0
    }
}

impl<E: PartialEq + Debug, R: PartialEq + Debug> Outcome<E, R> {
    /// Asserts that exactly these events result.
    #[track_caller]
    pub(crate) fn then(self, events: impl IntoIterator<Item = E>) {
        assert_eq!(self.0, Ok(events.into_iter().collect()));
    }

    /// Asserts that the command succeeds without events, because the state is already as requested.
    #[track_caller]
    pub(crate) fn then_no_events(self) {
        self.then([]);
    }

    /// Asserts that the command is rejected with this error.
    #[track_caller]
    pub(crate) fn then_refused(self, refusal: R) {
        assert_eq!(self.0, Err(refusal));
    }
}
