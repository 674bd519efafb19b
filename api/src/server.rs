//! Runs the API role: one route table on one port, the enrolment listener, the live feed's hub, the circuit breaker's
//! watchers and the background jobs, all until shutdown.

use std::time::Duration;

use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::{Endpoint, EndpointExt, Route};
use serving::probes::{self, Probe};
use tokio_util::sync::CancellationToken;

use crate::circuit_breaker::{Breaker, Watcher, pulse};
use crate::config::Config;
use crate::deps::Deps;
use crate::error::Error;
use crate::outer_middleware::OuterMiddleware;
use crate::state::State;
use crate::{enroll_listener, feed, page, routes};

/// How long requests in flight may take when the role shuts down.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves HTTP, the live feed and the page on one port until `shutdown`; then waits for requests in flight.
pub async fn run(deps: Deps, config: Config, shutdown: CancellationToken) -> Result<(), Error> {
    // Bound early so that a port conflict fails start-up before any task runs.
    let listener = serving::bind(config.listen)?;
    let acceptor = TcpAcceptor::from_std(listener).map_err(serving::Error::Listener)?;
    let ((log, log_pulse), (database, database_pulse)) = (pulse("nats"), pulse("postgres"));
    let (state, jobs, probe) = deps.split(config.http, Breaker { log: log_pulse, database: database_pulse });
    let watching = watch_servers(state.clone(), log, database, shutdown.clone());
    let feeding = feed_clients(state.clone(), shutdown.clone());
    let enrolling = enroll_listener::serve(config.enroll, state.clone(), shutdown.clone());
    let working = async {
        if config.jobs {
            jobs.run(state.clone(), shutdown.clone()).await;
        }
        Ok(())
    };
    let app = app(state.clone(), probe, shutdown.clone());
    let server = poem::Server::new_with_acceptor(acceptor).name("api");
    let stop = shutdown.clone().cancelled_owned();
    let serving = async {
        let served = server.run_with_graceful_shutdown(app, stop, Some(DRAIN)).await;
        served.map_err(|error| Error::from(serving::Error::Serve(error)))
    };
    tokio::try_join!(serving, feeding, watching, enrolling, working).map(|_| ())
}

/// Runs the live feed's hub, which reads the log once for all clients of this process.
async fn feed_clients(state: State, shutdown: CancellationToken) -> Result<(), Error> {
    state.feed.run(&state.log, shutdown).await.map_err(Error::Feed)
}

/// Watches the servers that requests need, for the circuit breaker.
async fn watch_servers(
    state: State,
    log: Watcher,
    database: Watcher,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let log = log.watch(|| state.log.ping());
    let database = database.watch(|| state.reader.ping_database());
    shutdown.run_until_cancelled(async { tokio::join!(log, database) }).await;
    Ok(())
}

/// Returns the route table of the API's port.
fn app(state: State, probe: Probe, shutdown: CancellationToken) -> impl Endpoint {
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
        .with(OuterMiddleware::new(routes::allowed_methods))
}
