//! Random histories: what devices send and what people change, in a definite order. A seed always gives the same one.

use std::fmt;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// The devices of a case. Device 0 feeds both assets, device 1 only the first.
pub const DEVICES: usize = 2;
/// The assets of a case.
pub const ASSETS: usize = 2;
/// The links of a case as device, asset and port.
pub const LINKS: [(usize, usize, Option<u16>); 3] = [(0, 0, None), (1, 0, None), (0, 1, Some(2))];
/// The rules of a case as entity and metric. All of them watch for values above [`FIRST_LIMIT`].
pub const RULES: [(Entity, &str); 3] =
    [(Entity::Asset(0), "level"), (Entity::Device(0), "flow"), (Entity::Asset(1), "v")];
/// The limit of every rule before the first edit.
pub const FIRST_LIMIT: f64 = 80.0;
/// The cooldown of every rule before the first edit, seconds.
pub const FIRST_COOLDOWN: u32 = 7_200;
/// The metric of readings without a time.
pub const UNTIMED: &str = "rssi";
/// The range of `level` that the device type declares; values outside of it are uncertain.
pub const DECLARED: (f64, f64) = (0.0, 1000.0);

/// Times of measurement as milliseconds since the first hour: few, so that many values share one, and around the ends of
/// minutes and hours.
pub const INSTANTS: [i64; 20] = [
    0, 30_000, 59_999, 60_000, 61_000, 299_000, 300_000, 3_599_000, 3_599_999, 3_600_000, 3_601_000, 3_630_000,
    3_660_000, 7_199_500, 7_200_000, 7_201_000, 10_799_999, 10_800_000, 10_801_000, 10_820_000,
];

const LEVELS: [&str; 9] = ["0", "79.5", "80", "85", "85", "95", "95", "100", "120"];
const EXTREMES: [&str; 7] = [
    "-0.0",
    "5e-324",
    "1e308",
    "1.7976931348623157e308",
    "-1.7976931348623157e308",
    "-1e308",
    "2.2250738585072014e-308",
];
const FLOWS: [&str; 6] = ["0", "79", "81", "95", "true", "false"];
const WHOLE: [&str; 5] =
    ["9007199254740992", "9007199254740993", "-9007199254740993", "18446744073709551615", "9223372036854775807"];
const MODES: [&str; 6] = [r#""auto""#, r#""""#, "true", "1", r#""Überlauf 🜁""#, "null"];

/// A device or an asset, by its number in the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    Device(usize),
    Asset(usize),
}

/// What happens, step by step.
pub struct History {
    pub seed: u64,
    pub steps: Vec<Step>,
}

/// One step; the next begins when all effects of this one are visible.
#[derive(Clone, Debug)]
pub enum Step {
    /// Messages of one device, each acknowledged before the next is sent.
    Send { device: usize, messages: Vec<Message> },
    /// An edit of a rule.
    Edit { rule: usize, edit: Edit },
    /// A correction of a link: from now on, it takes values measured before this time, or all.
    Link { link: usize, until: Option<i64> },
    /// Somebody acknowledges the newest alarm of a rule.
    Acknowledge { rule: usize },
    /// Somebody dismisses the newest alarm of a rule.
    Dismiss { rule: usize },
}

/// A change of a rule.
#[derive(Clone, Debug)]
pub enum Edit {
    Limit(f64),
    Severity(&'static str),
    Name(&'static str),
    Cooldown(u32),
    Active(bool),
}

/// One payload: a reading, or an array of several.
#[derive(Clone)]
pub struct Message(pub Vec<Reading>);

/// One reading.
#[derive(Clone)]
pub struct Reading {
    /// Milliseconds since the first hour, and how the time is written.
    pub time: Option<(i64, TimeFormat)>,
    /// Keys with the port before a dot, and literals of JSON.
    pub values: Vec<(&'static str, &'static str)>,
}

/// How a payload writes a time.
#[derive(Clone, Copy)]
pub enum TimeFormat {
    Milliseconds,
    Seconds,
    Text,
}

impl History {
    /// Returns the history of a seed.
    pub fn of(seed: u64) -> Self {
        let mut generator = Generator { random: StdRng::seed_from_u64(seed), cursor: 0, active: [true; RULES.len()] };
        let steps = (0..generator.random.random_range(10..18)).map(|_| generator.step()).collect();
        Self { seed, steps }
    }
}

struct Generator {
    random: StdRng,
    /// Index of the instant around which devices measure now.
    cursor: usize,
    active: [bool; RULES.len()],
}

impl Generator {
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        *from.choose(&mut self.random).expect("something to choose from")
    }

    fn step(&mut self) -> Step {
        // Mostly one rule, so that what happens to it adds up.
        let rule = self.random.random_range(0..RULES.len()) * usize::from(self.random.random_bool(0.5));
        match self.random.random_range(0..100) {
            0..60 => self.send(),
            60..74 => Step::Edit { rule, edit: self.edit(rule) },
            74..80 => {
                let until = self.random.random_bool(0.6).then(|| self.pick(&INSTANTS[5..]));
                Step::Link { link: self.random.random_range(0..LINKS.len()), until }
            }
            80..93 => Step::Dismiss { rule },
            _ => Step::Acknowledge { rule },
        }
    }

    fn send(&mut self) -> Step {
        let mut messages = Vec::new();
        for _ in 0..self.random.random_range(1..6) {
            let message = self.message();
            // Some messages are sent twice.
            let copies = if self.random.random_bool(0.15) { 2 } else { 1 };
            messages.extend(std::iter::repeat_n(message, copies));
        }
        Step::Send { device: usize::from(self.random.random_bool(0.4)), messages }
    }

    fn edit(&mut self, rule: usize) -> Edit {
        match self.random.random_range(0..8) {
            0..3 => Edit::Limit(self.pick(&[80.0, 90.0, 98.0, 110.0])),
            3 => Edit::Severity(self.pick(&["low", "medium", "critical"])),
            4 => Edit::Name(self.pick(&["Renamed", "Renamed again"])),
            5 => Edit::Cooldown(self.pick(&[0, 60, 7_200, 7_200])),
            _ => {
                self.active[rule] = !self.active[rule];
                Edit::Active(self.active[rule])
            }
        }
    }

    fn message(&mut self) -> Message {
        let readings = if self.random.random_bool(0.3) { self.random.random_range(2..5) } else { 1 };
        if self.random.random_bool(0.1) {
            let untimed = |_| Reading { time: None, values: vec![(UNTIMED, self.pick(&["-50", "-60", "-70"]))] };
            return Message((0..readings).map(untimed).collect());
        }
        Message((0..readings).map(|_| self.reading()).collect())
    }

    fn reading(&mut self) -> Reading {
        let at = self.instant();
        let format = match self.random.random_range(0..3) {
            0 if at % 1000 == 0 => TimeFormat::Seconds,
            1 => TimeFormat::Text,
            _ => TimeFormat::Milliseconds,
        };
        let mut values = Vec::new();
        for key in ["level", "flow", "mode", "1.v", "2.v"] {
            if self.random.random_bool(0.4) {
                values.push((key, self.literal(key)));
            }
        }
        if values.iter().all(|(_, literal)| *literal == "null") {
            values.push(("level", self.literal("level")));
        }
        Reading { time: Some((at, format)), values }
    }

    /// Returns a time that is mostly at or shortly after the last, sometimes earlier.
    fn instant(&mut self) -> i64 {
        match self.random.random_range(0..10) {
            0..3 => {}
            3..8 => self.cursor = (self.cursor + self.random.random_range(1..3)).min(INSTANTS.len() - 1),
            _ => return INSTANTS[self.random.random_range(0..=self.cursor)],
        }
        INSTANTS[self.cursor]
    }

    fn literal(&mut self, key: &str) -> &'static str {
        let extreme = self.random.random_bool(0.15);
        match key {
            "mode" => self.pick(&MODES),
            "flow" if extreme => self.pick(&WHOLE),
            "flow" => self.pick(&FLOWS),
            _ if extreme => self.pick(&EXTREMES),
            _ => self.pick(&LEVELS),
        }
    }
}

impl Message {
    /// Returns the payload, with times since this one (milliseconds).
    pub fn payload(&self, first_hour: i64) -> String {
        let readings: Vec<_> = self.0.iter().map(|reading| reading.payload(first_hour)).collect();
        if readings.len() == 1 { readings.concat() } else { format!("[{}]", readings.join(", ")) }
    }
}

impl Reading {
    fn payload(&self, first_hour: i64) -> String {
        let time = self.time.map(|(at, format)| {
            let at = first_hour + at;
            match format {
                TimeFormat::Milliseconds => format!(r#""ts": {at}"#),
                TimeFormat::Seconds => format!(r#""ts": {}"#, at / 1000),
                TimeFormat::Text => {
                    format!(r#""ts": "{}""#, chrono::DateTime::from_timestamp_millis(at).unwrap().to_rfc3339())
                }
            }
        });
        let members = |port: Option<&str>| {
            let of_port = |key: &'static str| match (port, key.split_once('.')) {
                (None, None) => Some(key),
                (Some(port), Some((of, rest))) if of == port => Some(rest),
                _ => None,
            };
            let members =
                self.values.iter().filter_map(|(key, literal)| Some(format!(r#""{}": {literal}"#, of_port(key)?)));
            Some(members.collect::<Vec<_>>().join(", ")).filter(|members| !members.is_empty())
        };
        let ports =
            ["1", "2"].into_iter().filter_map(|port| Some(format!(r#""{port}": {{{}}}"#, members(Some(port))?)));
        let ports = Some(ports.collect::<Vec<_>>().join(", ")).filter(|ports| !ports.is_empty());
        let metrics = members(None).map(|members| format!(r#""metrics": {{{members}}}"#));
        let ports = ports.map(|ports| format!(r#""ports": {{{ports}}}"#));
        format!("{{{}}}", [time, metrics, ports].into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.payload(0))
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "history of seed {} (times since the first hour):", self.seed)?;
        for (number, step) in self.steps.iter().enumerate() {
            match step {
                Step::Send { device, messages } => {
                    writeln!(f, "{number:3} device {device} sends")?;
                    messages.iter().try_for_each(|message| writeln!(f, "      {message:?}"))?;
                }
                other => writeln!(f, "{number:3} {other:?}")?,
            }
        }
        Ok(())
    }
}
