//! What readers of the streams observe after skipping repeated input, apart from origins and pack boundaries.

use std::collections::BTreeMap;

use domain::AnyEvent;
use domain::activity::ActivityEvent;
use domain::alarm::AlarmEvent;
use domain::telemetry::{
    ActivityNotice, AssetPack, DeadLetter, NormalizedPack, ThresholdEvent, Transition, decode_pack,
};
use eventlog::{Log, Message, Stream, Upcasters, decode_events};
use processing::stage::HighWaterMarks;
use uuid::Uuid;

use crate::test_platform::TestPlatform;

#[derive(Debug, Default, PartialEq)]
pub struct Observed {
    /// Times in milliseconds and temperatures, by device.
    pub readings: BTreeMap<Uuid, Vec<(i64, f64)>>,
    /// Times in milliseconds and values, by asset.
    pub values: BTreeMap<Uuid, Vec<(i64, f64)>>,
    /// Scores by asset.
    pub health: BTreeMap<Uuid, Vec<u8>>,
    /// Transitions by entity.
    pub events: BTreeMap<Uuid, Vec<Transition>>,
    /// Stored alarm events by alarm.
    pub alarms: BTreeMap<Uuid, Vec<&'static str>>,
    /// Number of stored creations by activity.
    pub activities: BTreeMap<Uuid, usize>,
    /// Number of notices by activity.
    pub notices: BTreeMap<Uuid, usize>,
}

pub async fn messages(log: &Log, stream: Stream) -> Vec<Message> {
    let mut all = vec![];
    for sequence in 1..=log.last_sequence(stream).await.unwrap() {
        all.extend(log.get_message(stream, sequence).await.unwrap());
    }
    all
}

pub async fn dead_letters(log: &Log) -> Vec<DeadLetter> {
    let read = |message: Message| serde_json::from_slice::<Vec<DeadLetter>>(&message.payload).unwrap();
    messages(log, Stream::TelemetryDlq).await.into_iter().flat_map(read).collect()
}

impl TestPlatform {
    pub async fn observed(&self) -> Observed {
        let (mut observed, mut marks) = (Observed::default(), HighWaterMarks::default());
        self.collect_telemetry(&mut observed, &mut marks).await;
        for message in messages(&self.log, Stream::EventsThreshold).await {
            let events: Vec<ThresholdEvent> = serde_json::from_slice(&message.payload).unwrap();
            let mut mark = marks.of(&message.subject);
            for event in events.iter().filter(|event| mark.admits(event.origin)) {
                observed.events.entry(event.entity_id).or_default().push(event.transition);
            }
        }
        for message in messages(&self.log, Stream::ActivitiesCreated).await {
            let notice: ActivityNotice = serde_json::from_slice(&message.payload).unwrap();
            if marks.of(&message.subject).admits(notice.origin) {
                *observed.notices.entry(notice.activity_id.0).or_default() += 1;
            }
        }
        self.collect_aggregates(&mut observed).await;
        observed
    }

    async fn collect_telemetry(&self, observed: &mut Observed, marks: &mut HighWaterMarks) {
        for message in messages(&self.log, Stream::TelemetryNormalized).await {
            let pack: NormalizedPack = decode_pack(&message.payload).unwrap();
            let mut mark = marks.of(&message.subject);
            for reading in pack.readings.iter().filter(|reading| mark.admits(reading.origin)) {
                let value = (reading.measured_at.timestamp_millis(), reading.numbers[0]);
                observed.readings.entry(reading.device.0).or_default().push(value);
            }
        }
        for message in messages(&self.log, Stream::TelemetryAsset).await {
            let pack: AssetPack = decode_pack(&message.payload).unwrap();
            let mut mark = marks.of(&message.subject);
            for reading in pack.readings.iter().filter(|reading| mark.admits(reading.origin)) {
                let value = (reading.measured_at.timestamp_millis(), reading.numbers[0]);
                observed.values.entry(reading.asset.0).or_default().push(value);
            }
            for health in pack.health.iter().filter(|health| mark.admits(health.origin)) {
                observed.health.entry(health.asset.0).or_default().push(health.score);
            }
        }
    }

    async fn collect_aggregates(&self, observed: &mut Observed) {
        for stream in [Stream::EsAlarm, Stream::EsActivity] {
            for message in messages(&self.log, stream).await {
                for event in decode_events(&message, &Upcasters::default()).unwrap() {
                    let id: Uuid = event.aggregate_id.parse().unwrap();
                    match AnyEvent::decode(&event.aggregate_type, &event.event_type, event.payload).unwrap() {
                        AnyEvent::Alarm(AlarmEvent::AlarmRaised { .. }) => {
                            observed.alarms.entry(id).or_default().push("raised")
                        }
                        AnyEvent::Alarm(AlarmEvent::AlarmReturnedToNormal { .. }) => {
                            observed.alarms.entry(id).or_default().push("returned");
                        }
                        AnyEvent::Alarm(AlarmEvent::AlarmRepeated { .. }) => {
                            observed.alarms.entry(id).or_default().push("repeated");
                        }
                        AnyEvent::Alarm(AlarmEvent::AlarmSuperseded { .. }) => {
                            observed.alarms.entry(id).or_default().push("superseded");
                        }
                        AnyEvent::Activity(ActivityEvent::ActivityCreated { .. }) => {
                            *observed.activities.entry(id).or_default() += 1
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
    }
}
