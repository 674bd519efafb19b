//! Waiting for a condition with a deadline. What does not live here: the conditions.

use std::fmt::Debug;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until `look` answers something, and fails with `what` and the last state it told after the deadline.
pub fn wait_until<T, S: Debug>(what: &str, deadline: Duration, mut look: impl FnMut() -> Result<T, S>) -> T {
    let began = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(state) if began.elapsed() > deadline => panic!("{what}: not within {deadline:?}; last seen: {state:?}"),
            Err(_) => pause(),
        }
    }
}

/// Waits a moment between two looks.
pub fn pause() {
    let (_sender, receiver) = mpsc::channel::<()>();
    let _ = receiver.recv_timeout(PAUSE);
}

/// Lets something go on for a while.
pub fn wait_for(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        pause();
    }
}
