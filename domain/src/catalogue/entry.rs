//! The shared life cycle of catalogue entries: defined once, revised as a whole, retired permanently. The kinds of
//! entries are the other modules of `catalogue`.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::aggregate::Decide;

/// The definition of one kind of catalogue entry.
pub trait Definition: Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync {
    /// The kind's name in error messages, such as "activity type".
    const NOUN: &'static str;
    /// The kind's events.
    type Event: EntryEvent<Self>;
    /// Why a definition is rejected.
    type Refusal: Clone + PartialEq + std::error::Error;

    /// Validates the definition and returns it in its stored form.
    fn checked(self) -> Result<Self, Self::Refusal>;
}

/// The events of one kind of entry, independent of their names.
pub trait EntryEvent<D> {
    /// The entry was defined.
    fn defined(definition: D) -> Self;
    /// Its definition was replaced.
    fn revised(definition: D) -> Self;
    /// It was retired.
    fn retired() -> Self;
    /// Returns the definition after the event; `None` if the entry was retired.
    fn definition(&self) -> Option<&D>;
}

/// The state of an entry, folded from its events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "D: DeserializeOwned"))]
pub struct Entry<D> {
    /// The definition; `None` until it is defined.
    pub definition: Option<D>,
    /// Whether it is retired.
    pub retired: bool,
}

/// Commands on an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryCommand<D> {
    /// Defines the entry.
    Define {
        /// The full definition.
        definition: D,
    },
    /// Replaces its definition.
    Revise {
        /// The full new definition.
        definition: D,
    },
    /// Retires it; references to it stay valid.
    Retire {},
}

/// Why an entry rejects a command.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryError<D: Definition> {
    /// The entry does not exist.
    NotFound,
    /// It already exists.
    AlreadyExists,
    /// The entry is retired.
    Retired,
    /// The definition is invalid.
    Invalid(D::Refusal),
}

impl<D: Definition> fmt::Display for EntryError<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => write!(f, "no such {}", D::NOUN),
            Self::AlreadyExists => write!(f, "the {} already exists", D::NOUN),
            Self::Retired => write!(f, "the {} is retired", D::NOUN),
            Self::Invalid(refusal) => refusal.fmt(f),
        }
    }
}

impl<D: Definition> std::error::Error for EntryError<D> {}

impl<D> Default for Entry<D> {
    fn default() -> Self {
        Self { definition: None, retired: false }
    }
}

impl<D> Entry<D> {
    /// Returns whether the entry can be referred to: it is defined and not retired.
    pub fn in_use(&self) -> bool {
        self.definition.is_some() && !self.retired
    }
}

impl<D: Definition> Decide for Entry<D> {
    type Command = EntryCommand<D>;
    type Event = D::Event;
    type Error = EntryError<D>;

    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error> {
        use EntryCommand as C;
        let checked = |definition: D| definition.checked().map_err(EntryError::Invalid);
        match (command, &self.definition) {
            (C::Define { definition }, None) => Ok(vec![D::Event::defined(checked(definition)?)]),
            (C::Define { .. }, Some(_)) => Err(EntryError::AlreadyExists),
            (_, None) => Err(EntryError::NotFound),
            (C::Retire {}, _) if self.retired => Ok(vec![]),
            (C::Retire {}, _) => Ok(vec![D::Event::retired()]),
            (_, _) if self.retired => Err(EntryError::Retired),
            (C::Revise { definition }, Some(present)) => {
                let definition = checked(definition)?;
                let changed = definition != *present;
                Ok(changed.then(|| D::Event::revised(definition)).into_iter().collect())
            }
        }
    }

    fn evolve(&mut self, event: Self::Event) {
        match event.definition() {
            Some(definition) => self.definition = Some(definition.clone()),
            None => self.retired = true,
        }
    }
}

/// Declares the aggregate and the events of one kind of entry under its stored type name.
macro_rules! entry {
    ($entry:ident, $kind:literal, $definition:ty, $events:ident { $defined:ident, $revised:ident, $retired:ident }) => {
        #[doc = concat!("The state of the `", $kind, "` aggregate.")]
        pub type $entry = $crate::catalogue::Entry<$definition>;

        #[doc = concat!("Events of the `", $kind, "` aggregate. They are stored forever: add new versions, never change an existing one.")]
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum $events {
            /// The entry was defined.
            $defined {
                /// The full definition.
                definition: $definition,
            },
            /// Its definition was replaced.
            $revised {
                /// The full new definition.
                definition: $definition,
            },
            /// It was retired.
            $retired {},
        }

        $crate::aggregate::domain_event!($events { $defined "1.0", $revised "1.0", $retired "1.0" });
        $crate::aggregate::aggregate!($entry, $kind);

        impl $crate::catalogue::EntryEvent<$definition> for $events {
            fn defined(definition: $definition) -> Self {
                Self::$defined { definition }
            }
            fn revised(definition: $definition) -> Self {
                Self::$revised { definition }
            }
            fn retired() -> Self {
                Self::$retired {}
            }
            fn definition(&self) -> Option<&$definition> {
                match self {
                    Self::$defined { definition } | Self::$revised { definition } => Some(definition),
                    Self::$retired {} => None,
                }
            }
        }
    };
}

pub(crate) use entry;
