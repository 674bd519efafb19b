//! Simulates a crash at every await point of a command: the future is dropped after a given number of polls.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is abandoned after a number of polls.
struct AtMost<F> {
    inner: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for AtMost<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        match self.inner.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Runs a future for at most `polls` polls; `None` means that it was interrupted.
pub async fn run_for_polls<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    AtMost { inner: Box::pin(future), polls }.await
}

/// Interrupts a command after 1, 2, 3… polls and repeats it in full each time, until it ends without an interruption.
/// `attempt(n, polls)` runs the nth variant for that many polls and returns whether it ended; `complete(n)` repeats and
/// checks it. Returns the number of polls that the command needs.
pub async fn crash_at_every_await(
    mut attempt: impl AsyncFnMut(u128, usize) -> bool,
    mut complete: impl AsyncFnMut(u128),
) -> usize {
    for polls in 1..1000 {
        let ended = attempt(polls as u128, polls).await;
        complete(polls as u128).await;
        if ended {
            return polls;
        }
    }
    panic!("the command did not end within 1000 polls");
}
