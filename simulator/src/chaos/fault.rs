//! What is done to whom: chosen at random, from a seed. Pure; doing it is the crew's.

use std::fmt;
use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use stack::Server;

use super::crew::Crew;

/// Longest and shortest pause: longer than every lease, so that others take over and the paused one wakes up as a
/// stranger; and shorter, so that it does not.
const PAUSE_MILLIS: std::ops::Range<u64> = 500..14_000;

/// Something that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// A process of the platform, by number and name.
    Role(usize, &'static str),
    /// A NATS node, by number.
    Node(usize),
    /// Another server.
    Server(Server),
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// At once, as by a power cut of its machine's; then it is started again.
    Kill,
    /// It is asked to stop, and started again.
    Restart,
    /// It stands still for so long.
    Pause(Duration),
}

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whom it hits.
    pub victim: Victim,
    /// How.
    pub means: Means,
}

impl Fault {
    /// Chooses the next fault.
    pub fn choose(crew: &Crew, random: &mut SmallRng) -> Self {
        let victims = crew.victims();
        let victim = victims[random.random_range(0..victims.len())];
        let means = match random.random_range(0..3) {
            // What a broker has acknowledged to a device and not delivered yet is in its memory, and written down once a
            // second: killing it loses messages by its own design, which is documented and not ours to test.
            0 if victim != Victim::Server(Server::Mosquitto) => Means::Kill,
            0 | 1 => Means::Restart,
            _ => Means::Pause(Duration::from_millis(random.random_range(PAUSE_MILLIS))),
        };
        Self { victim, means }
    }

    /// Its kind, for counting.
    pub fn kind(&self) -> String {
        let means = match self.means {
            Means::Kill => "kill",
            Means::Restart => "restart",
            Means::Pause(_) => "pause",
        };
        let victim = match self.victim {
            Victim::Role(_, name) => name.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit()).to_owned(),
            Victim::Node(_) => "nats node".to_owned(),
            Victim::Server(server) => server.to_string(),
        };
        format!("{means} {victim}")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let victim = match self.victim {
            Victim::Role(_, name) => name.to_owned(),
            Victim::Node(node) => format!("nats-{}", node + 1),
            Victim::Server(server) => server.to_string(),
        };
        match self.means {
            Means::Kill => write!(f, "{victim} is killed"),
            Means::Restart => write!(f, "{victim} is restarted"),
            Means::Pause(time) => write!(f, "{victim} stands still for {:.1} s", time.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_whom_it_hits_and_counts_by_kind() {
        let fault = Fault { victim: Victim::Role(3, "edge-2"), means: Means::Pause(Duration::from_millis(1_500)) };
        assert_eq!((fault.to_string(), fault.kind()), ("edge-2 stands still for 1.5 s".into(), "pause edge".into()));
        let fault = Fault { victim: Victim::Node(0), means: Means::Kill };
        assert_eq!((fault.to_string(), fault.kind()), ("nats-1 is killed".into(), "kill nats node".into()));
    }
}
