//! Sends one day of realistic readings through a single process, and again through two and then four operating-system
//! processes that are killed at random. Alarms and activities are identical to the byte.

use std::collections::BTreeMap;

use domain::AnyEvent;
use domain::activity::ActivityEvent;
use domain::alarm::AlarmEvent;
use eventlog::{Stream, Upcasters, decode_events};
use processing::StageName;
use serde_json::{Value, json};

use crate::observed::messages;
use crate::test_platform::{TestPlatform, Worker, at, until};

const MINUTE: i64 = 60_000;
/// Minutes of a day, and how many of them one message of a device covers.
const MINUTES: i64 = 24 * 60;
const BATCH_MINUTES: i64 = 20;
const DEVICES: u128 = 4;

/// A deterministic pseudo-random generator (Knuth's MMIX linear congruential generator).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What one device sends in some minutes: arrival time in milliseconds, and payload.
type Readings = Vec<(i64, String)>;

/// One day of each device as messages in log order: swinging temperatures, gaps of an hour, repeated readings, late
/// batches, clocks that jump ahead and back.
fn one_day() -> Vec<(u128, Readings)> {
    let mut random = Random(20_261_126);
    let (mut sent, mut late) = (Vec::new(), BTreeMap::<u128, Readings>::new());
    for from in (0..MINUTES).step_by(BATCH_MINUTES as usize) {
        for n in 0..DEVICES {
            if (from / 60 + n as i64 * 5) % 12 == 11 {
                continue;
            }
            let mut readings = Readings::new();
            for minute in from..from + BATCH_MINUTES {
                let jump = match random.below(120) {
                    0 => 120 * MINUTE,
                    1 => -26 * 60 * MINUTE,
                    _ => 0,
                };
                let swing = ((minute + 37 * n as i64) % 90 - 45).abs() as f64;
                let temperature = 50.0 + swing + random.below(4) as f64;
                let payload = json!({"ts": at(minute * MINUTE + jump).timestamp_millis(), "metrics": {"temperature": temperature}});
                readings.push((minute * MINUTE + 500, payload.to_string()));
                if random.below(15) == 0 {
                    readings.extend(readings.last().cloned());
                }
            }
            if random.below(8) == 0 {
                late.entry(n).or_default().extend(readings);
                continue;
            }
            sent.push((n, readings));
            if random.below(3) == 0 {
                let held_back = late.remove(&n).map(|readings| {
                    let received = (from + BATCH_MINUTES) * MINUTE;
                    readings.into_iter().map(|(_, payload)| (received, payload)).collect()
                });
                sent.extend(held_back.map(|readings: Readings| (n, readings)));
            }
        }
    }
    sent
}

/// The last readings: cool, then hot at a time that identifies the last breach.
fn closing_breaches() -> Vec<(u128, Readings)> {
    let payload = |minute: i64, temperature: f64| {
        let payload = json!({"ts": at(minute * MINUTE).timestamp_millis(), "metrics": {"temperature": temperature}});
        (minute * MINUTE + 500, payload.to_string())
    };
    (0..DEVICES).map(|n| (n, vec![payload(MINUTES + 200, 20.0), payload(MINUTES + 201, 99.0)])).collect()
}

/// Returns all events of alarms and activities, by aggregate.
async fn outcome(platform: &TestPlatform) -> BTreeMap<String, Vec<(String, Value)>> {
    let mut outcome = BTreeMap::<String, Vec<(String, Value)>>::new();
    for stream in [Stream::EsAlarm, Stream::EsActivity] {
        for message in messages(&platform.log, stream).await {
            for event in decode_events(&message, &Upcasters::default()).unwrap() {
                let aggregate = format!("{} {}", event.aggregate_type, event.aggregate_id);
                outcome.entry(aggregate).or_default().push((event.event_type, event.payload));
            }
        }
    }
    outcome
}

/// Waits until the last breach of each device and asset has its activity, which means that everything before it is
/// processed.
async fn wait_for_last_breaches(platform: &TestPlatform) {
    let last = at((MINUTES + 201) * MINUTE);
    let done = || async {
        let mut alarms = std::collections::BTreeSet::new();
        let mut activities = 0;
        for stream in [Stream::EsAlarm, Stream::EsActivity] {
            for message in messages(&platform.log, stream).await {
                for event in decode_events(&message, &Upcasters::default()).unwrap() {
                    let id = event.aggregate_id.clone();
                    match AnyEvent::decode(&event.aggregate_type, &event.event_type, event.payload).unwrap() {
                        AnyEvent::Alarm(AlarmEvent::AlarmRaised { breach }) if breach.raised_at >= last => {
                            alarms.insert(id);
                        }
                        AnyEvent::Activity(ActivityEvent::ActivityCreated { order }) => {
                            activities +=
                                usize::from(order.alarm_id.is_some_and(|alarm| alarms.contains(&alarm.to_string())));
                        }
                        _ => {}
                    }
                }
            }
        }
        activities == 2 * DEVICES as usize
    };
    until(120, "the last breaches have their activities", done).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_gives_the_same_events_in_one_process_and_in_many_that_are_killed() {
    let (day, end) = (one_day(), closing_breaches());
    let alone = TestPlatform::new().await;
    let role = alone.start("alone", &StageName::ALL);
    for (n, readings) in day.iter().chain(&end) {
        alone.send(*n, readings.clone()).await;
    }
    wait_for_last_breaches(&alone).await;
    role.stop().await;
    let expected = outcome(&alone).await;
    assert!(expected.len() > 100, "only {} alarms and activities in a day", expected.len());

    let many = TestPlatform::new().await;
    let mut random = Random(7);
    let mut workers: BTreeMap<usize, Worker> =
        (0..2).map(|number| (number, many.work(&format!("worker-{number}")))).collect();
    let mut started = workers.len();
    for (count, (n, readings)) in day.iter().enumerate() {
        many.send(*n, readings.clone()).await;
        // One worker is killed after a third of the day and three replace it; later a random one of the four is killed.
        let wanted = if count < day.len() / 3 { 2 } else { 4 };
        if count == day.len() / 3 || (count > day.len() / 3 && random.below(30) == 0) {
            let which = *workers.keys().nth(random.below(workers.len() as u64) as usize).unwrap();
            workers.remove(&which).unwrap().kill();
        }
        while workers.len() < wanted {
            workers.insert(started, many.work(&format!("worker-{started}")));
            started += 1;
        }
    }
    for (n, readings) in &end {
        many.send(*n, readings.clone()).await;
    }
    assert!(started > 6, "only {started} workers were started");
    wait_for_last_breaches(&many).await;
    workers.into_values().for_each(Worker::kill);
    let found = outcome(&many).await;
    assert_eq!(serde_json::to_string(&found).unwrap(), serde_json::to_string(&expected).unwrap());
}
