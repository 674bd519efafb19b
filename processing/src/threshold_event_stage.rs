//! The plumbing of the stages that react to threshold events. A stage supplies its name and what one event causes;
//! reading the stream, skipping events that were already processed and counting are written here. One unit is one
//! partition of entities.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::directory::Directory;
use domain::telemetry::{Origin, ThresholdEvent};
use eventlog::{Message, PARTITIONS, Source, Stream};

use crate::metric_names;
use crate::stage::{Effects, Stage, StepContext, filters, subject_partition};

/// A stage that reads threshold events and keeps no state beyond its high-water marks.
pub trait ThresholdEventStage: Send + Sync + 'static {
    /// Name of the stage; actor of its commands.
    const NAME: &'static str;

    /// Adds the commands and messages that one new event causes.
    fn react(&self, context: &mut EventContext<'_>, event: &ThresholdEvent, effects: &mut Effects);
}

/// The surroundings of the events of one message.
pub struct EventContext<'a> {
    /// The directory, at or after the position that each event names.
    pub directory: &'a Directory,
    /// The entity partition that the message belongs to.
    pub partition: u16,
    next_origin: Origin,
}

impl EventContext<'_> {
    /// Returns the origin of the next output of this message; each call returns a later one.
    pub fn next_origin(&mut self) -> Origin {
        let origin = self.next_origin;
        self.next_origin.ordinal += 1;
        origin
    }
}

impl<T: ThresholdEventStage> Stage for T {
    const NAME: &'static str = <T as ThresholdEventStage>::NAME;
    const UNITS: u16 = PARTITIONS;
    const STATE_VERSION: u32 = 1;
    const LINGER: Duration = Duration::from_millis(5);
    type State = ();
    type Input = Vec<ThresholdEvent>;
    type Output = Effects;

    fn sources(units: &BTreeSet<u16>) -> Vec<Source> {
        let events = filters::<Self>(units, |partition| vec![format!("{partition}.*")]);
        vec![Source::filtered(Stream::EventsThreshold, events)]
    }

    fn unit(message: &Message) -> Option<u16> {
        subject_partition(message)
    }

    fn decode(message: &Message) -> Result<Vec<ThresholdEvent>, String> {
        serde_json::from_slice(&message.payload).map_err(|error| format!("{error}: {}", message.subject))
    }

    fn es_position(input: &Vec<ThresholdEvent>) -> u64 {
        input.iter().map(|event| event.es_position).max().unwrap_or(0)
    }

    fn step(&self, context: StepContext<'_, ()>, input: Vec<ThresholdEvent>, effects: &mut Effects) {
        let Some(partition) = Self::unit(context.message) else { return };
        let mut mark = context.unit.marks.of(&context.message.subject);
        let next_origin = Origin { sequence: context.message.sequence, ordinal: 0 };
        let mut event_context = EventContext { directory: context.directory, partition, next_origin };
        for event in input.iter().filter(|event| mark.admits(event.origin)) {
            metrics::counter!(metric_names::TAKEN, "stage" => <T as ThresholdEventStage>::NAME).increment(1);
            self.react(&mut event_context, event, effects);
        }
    }

    fn effects(&self, output: Effects) -> Effects {
        output
    }
}
