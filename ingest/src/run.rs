//! Wires the role together, runs it and takes it down in order: no more connections, no more sessions, nothing left in
//! the lanes. Not what any part does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eventlog::{Log, Member, Membership};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::config::{Config, Deps, Listen};
use crate::directory::Directory;
use crate::directory::feed::{self, Feed};
use crate::edge::sessions::Sessions;
use crate::edge::throttle::Rate;
use crate::edge::{Edge, Tls, TlsError, listen};
use crate::meters::Meters;
use crate::pipeline::{Pipeline, PipelineSettings};
use crate::presence::Presence;
use crate::review::fold_and_review;
use crate::{members, metric_names, shards, takeover};

/// Connections that may wait in the kernel to be accepted.
const BACKLOG: u32 = 2_048;
/// How often what departed devices had used of their rate is forgotten where it no longer matters.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Why the role cannot run, or stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen for devices on {address}; is the port in use, or another one needed?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The edge's certificates cannot be used.
    #[error("cannot set up TLS for devices")]
    Tls(#[source] TlsError),
    /// The door cannot enter the membership.
    #[error("cannot join the doors as {instance}")]
    Join {
        /// The door's name.
        instance: String,
        /// What the log says.
        #[source]
        source: eventlog::members::Error,
    },
    /// The listener died.
    #[error("the listener for devices has stopped")]
    Stopped(#[source] tokio::task::JoinError),
    /// The directory no longer follows the log.
    #[error("the edge has lost the log")]
    Directory(#[source] feed::Error),
}

/// Runs the devices' doors until `shutdown` is cancelled and everything taken is on disk, or an error stops them.
pub async fn run(deps: Deps, mut config: Config, shutdown: CancellationToken) -> Result<(), Error> {
    // MQTT forbids 0, which would let no device send.
    config.limits.receive_maximum = config.limits.receive_maximum.max(1);
    metric_names::describe();
    let listener = bind(config.listen)?;
    let Deps { log, pki, clock } = deps;
    let directory = Arc::new(Directory::new(Tls::root(&pki).map_err(Error::Tls)?));
    let tls = Tls::new(&pki, directory.clone()).map_err(Error::Tls)?;
    let (sessions, meters) = (Arc::new(Sessions::default()), Arc::new(Meters::new()));
    // The directory is followed to the very end: sessions are still judged while they drain.
    let (following, closing) = (CancellationToken::new(), shutdown.child_token());
    let _guards = (following.clone().drop_guard(), closing.clone().drop_guard());
    // Before anything is told under the door's name, it must be this door's alone.
    let member = members::member(&config.instance);
    let shards = shards::choose(&log, &member, config.shards).await;
    let joining =
        Membership::join(&log, Member::new(member).at(shards.iter().copied()), &[members::KIND], closing.clone());
    let Some(joined) = closing.run_until_cancelled(joining).await else { return Ok(()) };
    let membership = joined.map_err(|source| Error::Join { instance: config.instance.clone(), source })?;
    let fold = fold_and_review(directory.clone(), sessions.clone(), clock.clone());
    let feed = Arc::new(Feed::start(&log, fold, following).await);
    let settings = PipelineSettings { shards, lane_bytes: config.limits.lane_bytes };
    let edge = Arc::new(Edge {
        tls,
        clock: clock.clone(),
        directory: directory.clone(),
        feed: feed.clone(),
        pipeline: Arc::new(Pipeline::start(&log, directory, meters.clone(), &settings)),
        presence: Arc::new(Presence::start(&log, &config.instance, clock)),
        sessions,
        meters,
        handshakes: Semaphore::new(config.limits.max_handshakes),
        rate: Rate::new(config.limits.messages_per_second, config.limits.message_burst),
        limits: config.limits,
        shutdown: closing.clone(),
    });
    // Whatever this door knew before it was restarted, it no longer knows: its former sessions are over.
    edge.presence.tell_edge_lost(&config.instance).await;
    let watching =
        members::watch(config.instance.clone(), membership.members(), edge.presence.clone(), edge.sessions.clone());
    let watching = AbortOnDropHandle::new(tokio::spawn(watching));
    let served = serve(&log, &config.instance, &edge, listener, &closing).await;
    drop(watching);
    membership.leave().await;
    close(&edge).await;
    served
}

/// Serves devices until the shutdown or a failure; returns with no session left.
async fn serve(
    log: &Log,
    instance: &str,
    edge: &Arc<Edge>,
    listener: TcpListener,
    closing: &CancellationToken,
) -> Result<(), Error> {
    // Devices wait in the kernel until the door can tell who they are.
    match closing.run_until_cancelled(edge.feed.ready()).await {
        Some(ready) => ready.map_err(Error::Directory)?,
        None => return Ok(()),
    }
    takeover::watch(log, instance, edge.sessions.clone(), closing.clone()).await;
    info!(instance, address = ?listener.local_addr().ok(), "listening for devices");
    let mut listening = tokio::spawn(listen(edge.clone(), listener));
    let served = tokio::select! {
        ended = &mut listening => ended.map_err(Error::Stopped),
        failure = edge.feed.watch() => Err(Error::Directory(failure)),
        never = keep_house(edge) => match never {},
    };
    closing.cancel();
    if served.is_err() && !listening.is_finished() {
        // That it failed as well adds nothing to the first failure.
        let _ = listening.await;
    }
    served
}

async fn keep_house(edge: &Edge) -> std::convert::Infallible {
    loop {
        sleep(FORGET_EVERY).await;
        edge.sessions.forget_full_throttles(Instant::now());
    }
}

/// Writes what is left in the lanes, as long as that may take.
async fn close(edge: &Edge) {
    let closing = async {
        edge.pipeline.close().await;
        edge.presence.close().await;
    };
    if timeout(edge.limits.drain_timeout, closing).await.is_err() {
        // Nobody was told that these are safe: devices send them again.
        warn!("the log did not take everything in time");
    }
}

fn bind(listen: Listen) -> Result<TcpListener, Error> {
    match listen {
        Listen::Socket(listener) => Ok(listener),
        Listen::Address(address) => {
            let bound = || {
                let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
                socket.set_reuseaddr(true)?;
                socket.bind(address)?;
                socket.listen(BACKLOG)
            };
            bound().map_err(|source| Error::Listen { address, source })
        }
    }
}
