//! Given, when, then: how aggregates are tested. Compiled for tests only.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Decide;

/// An aggregate with a past.
pub(crate) struct Given<A>(A);

/// What a command led to.
pub(crate) struct Outcome<E, R>(Result<Vec<E>, R>);

/// Folds past events; the state must survive a snapshot.
pub(crate) fn given<A>(events: impl IntoIterator<Item = A::Event>) -> Given<A>
where
    A: Decide + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let mut state = A::default();
    events.into_iter().for_each(|event| state.evolve(event));
    let snapshot = serde_json::to_string(&state).expect("a state can be written");
    assert_eq!(serde_json::from_str::<A>(&snapshot).expect("a state can be read"), state);
    Given(state)
}

/// An aggregate without a past.
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

    /// The state itself.
    pub(crate) fn state(&self) -> &A {
        &self.0
    }
}

impl<E: PartialEq + Debug, R: PartialEq + Debug> Outcome<E, R> {
    /// Exactly these events follow.
    #[track_caller]
    pub(crate) fn then(self, events: impl IntoIterator<Item = E>) {
        assert_eq!(self.0, Ok(events.into_iter().collect()));
    }

    /// It is so already: no event follows.
    #[track_caller]
    pub(crate) fn then_no_events(self) {
        self.then([]);
    }

    /// The command is refused.
    #[track_caller]
    pub(crate) fn then_refused(self, refusal: R) {
        assert_eq!(self.0, Err(refusal));
    }
}
