//! What every aggregate is: a state folded from events and a pure decision. What does not live here: storing, retrying.

/// A consistency boundary: decides on a command by its own state alone, and folds the events it decided.
pub trait Decide: Default {
    /// What may be asked of it.
    type Command;
    /// What may have happened to it.
    type Event;
    /// Why it refuses.
    type Error;

    /// Answers the events that the command causes (none where it is already so), or why it is refused.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Folds one event into the state.
    fn evolve(&mut self, event: Self::Event);
}

/// Makes a `Decide` type an aggregate of the event store under its stored type name.
macro_rules! aggregate {
    ($state:ty, $kind:literal) => {
        impl cqrs_es::Aggregate for $state {
            const TYPE: &'static str = $kind;
            type Command = <$state as $crate::aggregate::Decide>::Command;
            type Event = <$state as $crate::aggregate::Decide>::Event;
            type Error = <$state as $crate::aggregate::Decide>::Error;
            type Services = ();

            async fn handle(
                &mut self,
                command: Self::Command,
                _services: &Self::Services,
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                for event in $crate::aggregate::Decide::decide(self, command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                $crate::aggregate::Decide::evolve(self, event);
            }
        }
    };
}

/// Names the stored type and version of each variant of an event enum.
macro_rules! domain_event {
    ($event:ident { $($variant:ident $version:literal),* $(,)? }) => {
        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                match self { $(Self::$variant { .. } => stringify!($variant).to_owned()),* }
            }
            fn event_version(&self) -> String {
                match self { $(Self::$variant { .. } => $version.to_owned()),* }
            }
        }

        impl $event {
            /// Every event type with its current version, in the order of declaration.
            pub const TYPES: &'static [(&'static str, &'static str)] = &[$((stringify!($variant), $version)),*];
        }
    };
}

pub(crate) use {aggregate, domain_event};
