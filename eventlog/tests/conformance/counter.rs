//! The aggregate under test: a counter whose events name the command that produced them.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counter {
    pub value: i64,
    pub events: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CounterEvent {
    CounterIncremented { by: i64, token: String },
    CounterReset,
}

/// Increments once per token, all in one command.
#[derive(Clone, Debug)]
pub struct Increment {
    pub by: i64,
    pub tokens: Vec<String>,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("nothing is refused")]
pub struct Never;

impl DomainEvent for CounterEvent {
    fn event_type(&self) -> String {
        match self {
            Self::CounterIncremented { .. } => "CounterIncremented".to_owned(),
            Self::CounterReset => "CounterReset".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        "1.0.0".to_owned()
    }
}

impl Aggregate for Counter {
    const TYPE: &'static str = "counter";
    type Command = Increment;
    type Event = CounterEvent;
    type Error = Never;
    type Services = ();

    async fn handle(&mut self, command: Increment, (): &(), sink: &EventSink<Self>) -> Result<(), Never> {
        for token in command.tokens {
            sink.write(CounterEvent::CounterIncremented { by: command.by, token }, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: CounterEvent) {
        self.events += 1;
        match event {
            CounterEvent::CounterIncremented { by, .. } => self.value += by,
            CounterEvent::CounterReset => self.value = 0,
        }
    }
}

/// Returns `count` increments by one, with tokens `<name>.0`, `<name>.1`, …
pub fn increments(name: &str, count: usize) -> Vec<CounterEvent> {
    let increment = |n| CounterEvent::CounterIncremented { by: 1, token: format!("{name}.{n}") };
    (0..count).map(increment).collect()
}
