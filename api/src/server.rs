//! Listening, and the map of everything that is served. What does not live here: what is served.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::{Endpoint, EndpointExt, Route};
use tokio_util::sync::CancellationToken;

use crate::circuit_breaker::{Breaker, Watcher};
use crate::enroll_listener::EnrollConfig;
use crate::error::Error;
use crate::outer_middleware::OuterMiddleware;
use crate::probes::Probe;
use crate::rate_limits::Limits;
use crate::state::{Deps, State};
use crate::{announcement, circuit_breaker, enroll_listener, feed, notifying, page, probes, renewal, routes};

/// How long requests that are under way may take when the role stops.
const DRAIN: Duration = Duration::from_secs(5);

/// Where to listen.
#[derive(Debug)]
pub enum Listen {
    /// On an address.
    Address(SocketAddr),
    /// On a listener that is bound already.
    Listener(TcpListener),
}

/// How the API is served.
#[derive(Debug)]
pub struct Config {
    /// Where.
    pub listen: Listen,
    /// The door for enrolment, where there is one.
    pub enroll: Option<EnrollConfig>,
    /// How.
    pub http: Http,
}

/// What is between the API and its clients.
#[derive(Clone, Debug)]
pub struct Http {
    /// How much is too much.
    pub limits: Limits,
    /// Whether the refresh cookie is sent over HTTPS alone; browsers make an exception of `localhost`.
    pub secure_cookies: bool,
    /// How many reverse proxies stand in front that name the client in `X-Forwarded-For`.
    pub trusted_proxies: u8,
}

impl Default for Http {
    fn default() -> Self {
        Self { limits: Limits::default(), secure_cookies: true, trusted_proxies: 0 }
    }
}

/// Serves HTTP, the live feed and the page on one port until `shutdown`; then waits for requests under way.
pub async fn run(deps: Deps, config: Config, shutdown: CancellationToken) -> Result<(), Error> {
    let listener = listen(config.listen)?;
    let acceptor = TcpAcceptor::from_std(listener).map_err(Error::Listener)?;
    let ((log, log_pulse), (database, database_pulse)) =
        (circuit_breaker::pulse("nats"), circuit_breaker::pulse("postgres"));
    let state = State::new(deps, config.http, Breaker { log: log_pulse, database: database_pulse });
    let watching = watching(state.clone(), log, database, shutdown.clone());
    let feeding = feeding(state.clone(), shutdown.clone());
    let enrolling = enroll_listener::serve(config.enroll, state.clone(), shutdown.clone());
    let renewing = renewal::run(state.clone(), shutdown.clone());
    let announcing = announcement::run(state.clone(), shutdown.clone());
    let notifying = notifying::run(state.clone(), shutdown.clone());
    let app = app(state, shutdown.clone());
    let server = poem::Server::new_with_acceptor(acceptor).name("api");
    let stop = async move { shutdown.cancelled().await };
    let serving = async { server.run_with_graceful_shutdown(app, stop, Some(DRAIN)).await.map_err(Error::Serve) };
    tokio::try_join!(serving, feeding, watching, enrolling, renewing, announcing, notifying).map(|_| ())
}

/// The hub of the live feed reads the log in this process.
async fn feeding(state: State, shutdown: CancellationToken) -> Result<(), Error> {
    state.feed.run(&state.log, shutdown).await.map_err(Error::Feed)
}

/// Watches the servers that requests need.
async fn watching(state: State, log: Watcher, database: Watcher, shutdown: CancellationToken) -> Result<(), Error> {
    let log = log.watch(|| state.log.ping());
    let database = database.watch(|| state.reader.ping_database());
    shutdown.run_until_cancelled(async { tokio::join!(log, database) }).await;
    Ok(())
}

fn app(state: State, shutdown: CancellationToken) -> impl Endpoint {
    let probe = Probe {
        log: state.log.clone(),
        reader: Some(state.reader.clone()),
        metrics: state.metrics.clone(),
        facts: &[],
    };
    probes::routes(Route::new(), probe)
        .nest("/api", routes::endpoint(state.breaker.clone()))
        .at("/api/v1/ws", poem::get(feed::websocket_endpoint))
        .nest_no_strip("/socket.io", feed::socket_io_endpoint(&state, &shutdown))
        .nest("/", page::endpoint())
        .at("/favicon.ico", poem::endpoint::make_sync(|_| StatusCode::NO_CONTENT))
        .at("/pki/ca.pem", poem::get(routes::pki::root))
        .at("/pki/crl.der", poem::get(routes::pki::root_crl_der))
        .at("/pki/crl.pem", poem::get(routes::pki::root_crl_pem))
        .at("/pki/:organization/ca.pem", poem::get(routes::pki::organization))
        .at("/pki/:organization/crl.der", poem::get(routes::pki::crl_der))
        .at("/pki/:organization/crl.pem", poem::get(routes::pki::crl_pem))
        .data(state)
        .data(shutdown)
        .with(OuterMiddleware)
}

/// Binds what is not bound yet.
pub(crate) fn listen(listen: Listen) -> Result<TcpListener, Error> {
    let listener = match listen {
        Listen::Listener(listener) => listener,
        Listen::Address(address) => TcpListener::bind(address).map_err(|source| match source.kind() {
            ErrorKind::AddrInUse => Error::AddressInUse(address),
            _ => Error::Listen { address, source },
        })?,
    };
    listener.set_nonblocking(true).map_err(Error::Listener)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_one_clear_line() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = super::listen(Listen::Address(address)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("port {} is in use", address.port())), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}
