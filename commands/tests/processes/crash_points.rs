//! Breaking a process off wherever it waits: the future is dropped after so many polls, as a crash would drop it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is given up after so many polls.
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

/// Runs a future for at most so many polls; `None` says that it was broken off.
pub async fn run_for_polls<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    AtMost { inner: Box::pin(future), polls }.await
}

/// Breaks a process off after 1, 2, 3… polls, repeating it whole after each time, until it is not broken off any more.
/// `attempt(n, polls)` runs the nth variant for so many polls and says whether it ended; `complete(n)` repeats and
/// checks it.
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
    panic!("the process never ended");
}
