//! The aggregate contract: a state folded from events, and pure decisions. Storage and retries live in the `eventlog`
//! and `commands` crates.

/// A consistency boundary: decides on commands using only its own state, and folds the resulting events into it.
pub trait Decide: Default {
    /// The commands that it accepts.
    type Command;
    /// The events that it emits.
    type Event;
    /// The reasons for which it rejects a command.
    type Error;

    /// Returns the events that the command causes, or the reason for its rejection. The result is empty if the state is
    /// already as requested, which makes commands idempotent.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Applies one event to the state.
    fn evolve(&mut self, event: Self::Event);
}

/// Implements the event store's `Aggregate` for a `Decide` type under its stored type name.
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

/// Declares the stored type name and version of each variant of an event enum.
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
            /// All event types with their current versions, in the order of declaration.
            pub const TYPES: &'static [(&'static str, &'static str)] = &[$((stringify!($variant), $version)),*];
        }
    };
}

pub(crate) use {aggregate, domain_event};
