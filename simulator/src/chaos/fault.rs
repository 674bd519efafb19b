//! Faults chosen at random from a seed. Pure; `installation` injects them.

use std::fmt;
use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use stack::Server;

/// Range of a pause. The long ones outlast every lease, so that others take over and the paused process wakes up
/// without it; the short ones do not.
const PAUSE_MILLIS: std::ops::Range<u64> = 500..14_000;

/// Something that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A process of the platform, by index and name.
    Role(usize, &'static str),
    /// A NATS node, by index.
    Node(usize),
    /// Another server.
    Server(Server),
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultAction {
    /// Killed without warning, as by a power cut, then started again.
    Kill,
    /// Asked to stop, then started again.
    Restart,
    /// Suspended for this long.
    Pause(Duration),
}

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What fails.
    pub target: Target,
    /// How it fails.
    pub action: FaultAction,
}

impl Fault {
    /// Chooses the next fault.
    pub fn choose(targets: &[Target], random: &mut SmallRng) -> Self {
        let target = targets[random.random_range(0..targets.len())];
        let action = match random.random_range(0..3) {
            // mosquitto keeps messages that it acknowledged and has not delivered in memory and writes them to disk
            // once a second. Killing it loses messages by its own design, which is documented, so it is never killed.
            0 if target != Target::Server(Server::Mosquitto) => FaultAction::Kill,
            0 | 1 => FaultAction::Restart,
            _ => FaultAction::Pause(Duration::from_millis(random.random_range(PAUSE_MILLIS))),
        };
        Self { target, action }
    }

    /// Returns the kind of fault, for counting.
    pub fn kind(&self) -> String {
        let action = match self.action {
            FaultAction::Kill => "kill",
            FaultAction::Restart => "restart",
            FaultAction::Pause(_) => "pause",
        };
        let target = match self.target {
            Target::Role(_, name) => name.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit()).to_owned(),
            Target::Node(_) => "nats node".to_owned(),
            Target::Server(server) => server.to_string(),
        };
        format!("{action} {target}")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = match self.target {
            Target::Role(_, name) => name.to_owned(),
            Target::Node(node) => format!("nats-{}", node + 1),
            Target::Server(server) => server.to_string(),
        };
        match self.action {
            FaultAction::Kill => write!(f, "{target} is killed"),
            FaultAction::Restart => write!(f, "{target} is restarted"),
            FaultAction::Pause(time) => write!(f, "{target} is paused for {:.1} s", time.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_target_and_its_kind() {
        let fault =
            Fault { target: Target::Role(3, "edge-2"), action: FaultAction::Pause(Duration::from_millis(1_500)) };
        assert_eq!((fault.to_string(), fault.kind()), ("edge-2 is paused for 1.5 s".into(), "pause edge".into()));
        let fault = Fault { target: Target::Node(0), action: FaultAction::Kill };
        assert_eq!((fault.to_string(), fault.kind()), ("nats-1 is killed".into(), "kill nats node".into()));
    }
}
