//! Circuit breaker: keeps requests from piling up behind a server that does not answer. One watcher per server pings it
//! periodically; while the server is silent, requests that need it fail at once.

use std::future::Future;
use std::time::Duration;

use poem::http::Method;
use poem::{Endpoint, Middleware, Request};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::problem::{Kind, Problem};

/// Pause between two pings of a server.
const PING_INTERVAL: Duration = Duration::from_millis(300);
/// How long a ping may take.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// Consecutive failed pings after which a server counts as silent: a restart may lose one.
const MAX_FAILURES: u32 = 2;
/// How long a write in flight waits for a silent server: an outage of the log that ends within this time still leads to
/// a stored write.
const WRITE_GRACE: Duration = Duration::from_secs(4);

/// Whether a server answers, as its watcher last saw it.
#[derive(Clone, Debug)]
pub struct Pulse(watch::Receiver<bool>);

/// Pings a server and updates its [`Pulse`].
pub struct Watcher {
    name: &'static str,
    tell: watch::Sender<bool>,
}

/// Returns a watcher and its pulse, which beats until the watcher finds the server silent.
pub fn pulse(name: &'static str) -> (Watcher, Pulse) {
    let (tell, pulse) = watch::channel(true);
    (Watcher { name, tell }, Pulse(pulse))
}

impl Watcher {
    /// Pings the server until the future is dropped.
    pub async fn watch<F, E>(self, ask: impl Fn() -> F) -> std::convert::Infallible
    where
        F: Future<Output = Result<(), E>>,
    {
        let mut failures = 0;
        loop {
            let answered = matches!(timeout(PING_TIMEOUT, ask()).await, Ok(Ok(())));
            failures = if answered { 0 } else { failures + 1 };
            let beats = failures < MAX_FAILURES;
            let changed = self.tell.send_if_modified(|known| std::mem::replace(known, beats) != beats);
            match (changed, beats) {
                (true, true) => info!(server = self.name, "server answers again"),
                (true, false) => warn!(server = self.name, "server does not answer; failing requests that need it"),
                _ => {}
            }
            sleep(PING_INTERVAL).await;
        }
    }
}

impl Pulse {
    /// Returns whether the server answers.
    pub fn beats(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the server is silent.
    pub async fn silent(&self) {
        if self.0.clone().wait_for(|beats| !beats).await.is_err() {
            // The watcher is gone because the process shuts down.
            std::future::pending::<()>().await;
        }
    }

    /// Waits for a result that may need the server; `None` as soon as the server is silent. A result that is ready at
    /// once, from a cache, counts even then.
    pub async fn answer<T>(&self, asking: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            answer = asking => Some(answer),
            () = self.silent() => None,
        }
    }
}

/// Fails requests that need a silent server: reads need the database, writes need the log.
#[derive(Clone, Debug)]
pub struct Breaker {
    /// The log.
    pub log: Pulse,
    /// The database of the read models.
    pub database: Pulse,
}

/// An endpoint behind the breaker.
pub struct Broken<E> {
    inner: E,
    breaker: Breaker,
}

impl<E: Endpoint> Middleware<E> for Breaker {
    type Output = Broken<E>;

    fn transform(&self, inner: E) -> Broken<E> {
        Broken { inner, breaker: self.clone() }
    }
}

impl<E: Endpoint> Endpoint for Broken<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> poem::Result<E::Output> {
        let Breaker { log, database } = &self.breaker;
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            let unread = || Problem::of(Kind::Unavailable, "the read models do not answer; try again");
            return database.answer(self.inner.call(request)).await.unwrap_or_else(|| Err(unread().into()));
        }
        if !log.beats() {
            return Err(
                Problem::of(Kind::Unavailable, "the log does not answer; nothing was changed; try again").into()
            );
        }
        let silent = async {
            sleep(WRITE_GRACE).await;
            tokio::select! { () = log.silent() => {}, () = database.silent() => {} }
        };
        tokio::select! {
            answer = self.inner.call(request) => answer,
            () = silent => {
                let detail = "a server does not answer; repeat the request with the same Idempotency-Key";
                Err(Problem::of(Kind::OutcomeUnknown, detail).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use poem::http::StatusCode;
    use poem::{EndpointExt, Route, get, handler};

    use super::*;

    #[handler]
    async fn never() -> String {
        std::future::pending().await
    }

    #[tokio::test(start_paused = true)]
    async fn two_failed_pings_open_the_breaker_and_one_answer_closes_it() {
        let answers = std::sync::Arc::new(AtomicBool::new(true));
        let (watcher, pulse) = pulse("test");
        let asked = answers.clone();
        tokio::spawn(watcher.watch(move || {
            let answers = asked.load(Relaxed);
            async move { if answers { Ok(()) } else { std::future::pending::<Result<(), ()>>().await } }
        }));
        assert!(timeout(Duration::from_secs(10), pulse.silent()).await.is_err(), "it answers");
        answers.store(false, Relaxed);
        timeout(Duration::from_secs(3), pulse.silent()).await.expect("silent within three seconds");
        answers.store(true, Relaxed);
        timeout(Duration::from_secs(2), pulse.0.clone().wait_for(|beats| *beats)).await.expect("soon").unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn requests_in_flight_fail_when_a_server_falls_silent_writes_later_than_reads() {
        let ((_log, log), (database_watcher, database)) = (pulse("log"), pulse("database"));
        let app = Route::new().at("/", get(never).post(never)).with(Breaker { log, database });
        database_watcher.tell.send_replace(false);
        for (method, within) in [(Method::GET, 1), (Method::POST, 5)] {
            let request = Request::builder().method(method).finish();
            let answer = timeout(Duration::from_secs(within), app.get_response(request)).await.expect("in time");
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_the_log_a_write_fails_at_once_and_changes_nothing() {
        let ((log_watcher, log), (_database, database)) = (pulse("log"), pulse("database"));
        let app = Route::new().at("/", get(never).post(never)).with(Breaker { log, database });
        log_watcher.tell.send_replace(false);
        let request = Request::builder().method(Method::POST).finish();
        let mut answer = timeout(Duration::from_millis(10), app.get_response(request)).await.expect("at once");
        let body = answer.take_body().into_string().await.unwrap();
        assert!(body.contains("nothing was changed"), "{body}");
    }
}
