//! Wires the role together, runs it and shuts it down in order: no new connections, then no sessions, then empty lanes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eventlog::{Log, Member, Membership};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::bridge;
use crate::config::{BridgeConfig, Config, Deps};
use crate::directory::Directory;
use crate::directory::feed::Feed;
use crate::edge::rate_limit::Rate;
use crate::edge::session_registry::SessionRegistry;
use crate::edge::{ClientCertificates, Edge, Tls, listen};
use crate::error::Error;
use crate::meters::Meters;
use crate::optional_doors::{self, BoundDoors, bind};
use crate::pipeline::{Pipeline, PipelineSettings};
use crate::presence::Presence;
use crate::session_review::fold_and_review;
use crate::shared::Shared;
use crate::{members, metric_names, shards, takeover};

/// How often unused rate limit states are dropped.
const THROTTLE_CLEANUP_INTERVAL: Duration = Duration::from_secs(60);

/// Runs the configured doors until `shutdown` is cancelled and everything accepted is on disk, or until an error.
pub async fn run(deps: Deps, mut config: Config, shutdown: CancellationToken) -> Result<(), Error> {
    // MQTT forbids a receive maximum of 0, with which no device could send.
    config.limits.receive_maximum = config.limits.receive_maximum.max(1);
    metric_names::describe();
    let listener = config.listen.map(|listen| bind("devices", listen)).transpose()?;
    let Deps { log, pki, clock } = deps;
    let mut optional_doors = BoundDoors::bind(config.http, config.hook)?;
    let kicks = config.broker_api.map(|api| optional_doors.add_kicker(&api)).transpose()?;
    let directory = Arc::new(Directory::new(Tls::root(&pki).map_err(Error::Tls)?));
    let tls = Tls::new(&pki, directory.clone(), ClientCertificates::Required).map_err(Error::Tls)?;
    let (sessions, meters) = (Arc::new(SessionRegistry::default()), Arc::new(Meters::new()));
    // The directory has its own token and outlives the doors: sessions are still reviewed while they drain.
    let (following, closing) = (CancellationToken::new(), shutdown.child_token());
    // Cancels both when this function returns early.
    let _guards = (following.clone().drop_guard(), closing.clone().drop_guard());
    // Join the membership first: nothing may be published under the instance's name before it is exclusively ours.
    let (member, kinds) = membership_identity(&config.instance, listener.is_some(), config.bridge.is_some());
    let shards = shards::choose(&log, &member, config.shards).await;
    let joining =
        Membership::join(&log, Member::new(&member).with_shards(shards.iter().copied()), &kinds, closing.clone());
    let Some(joined) = closing.run_until_cancelled(joining).await else { return Ok(()) };
    let membership = joined.map_err(|source| Error::Join { instance: config.instance.clone(), source })?;
    let fold = fold_and_review(directory.clone(), sessions.clone(), kicks, clock.clone());
    let feed = Arc::new(Feed::start(&log, fold, following).await);
    let settings = PipelineSettings { shards, lane_bytes: config.limits.lane_bytes };
    let shared = Arc::new(Shared {
        clock: clock.clone(),
        directory: directory.clone(),
        feed,
        pipeline: Arc::new(Pipeline::start(&log, directory, meters.clone(), &settings)),
        presence: Arc::new(Presence::start(&log, &config.instance, clock)),
        meters,
        limits: config.limits,
        catch_up_lock: Mutex::default(),
    });
    let optional_doors = optional_doors.open(&shared, &pki)?;
    let edge = Arc::new(edge(&shared, tls, sessions, closing.clone()));
    let doors = Doors { instance: config.instance, member, listener, bridge: config.bridge, optional_doors, shared };
    let served = serve(&log, &edge, doors, &membership, &closing).await;
    membership.leave().await;
    close(&edge).await;
    served
}

/// Builds the edge from the shared state and its own.
fn edge(shared: &Shared, tls: Tls, sessions: Arc<SessionRegistry>, shutdown: CancellationToken) -> Edge {
    Edge {
        tls,
        clock: shared.clock.clone(),
        directory: shared.directory.clone(),
        feed: shared.feed.clone(),
        pipeline: shared.pipeline.clone(),
        presence: shared.presence.clone(),
        sessions,
        meters: shared.meters.clone(),
        handshakes: Semaphore::new(shared.limits.max_handshakes),
        rate: Rate::new(shared.limits.messages_per_second, shared.limits.message_burst),
        limits: shared.limits.clone(),
        shutdown,
    }
}

/// The doors of this process, each optional.
struct Doors {
    /// The instance's name.
    instance: String,
    /// Its member name.
    member: String,
    listener: Option<TcpListener>,
    bridge: Option<BridgeConfig>,
    optional_doors: optional_doors::ReadyDoors,
    shared: Arc<Shared>,
}

/// Serves devices until the shutdown or a failure; returns when no session is left.
async fn serve(
    log: &Log,
    edge: &Arc<Edge>,
    doors: Doors,
    membership: &Membership,
    closing: &CancellationToken,
) -> Result<(), Error> {
    // Until the directory is complete, connecting devices wait in the kernel's accept queue.
    match closing.run_until_cancelled(edge.feed.ready()).await {
        Some(ready) => ready.map_err(Error::Directory)?,
        None => return Ok(()),
    }
    let mut serving = doors.optional_doors.serve(closing);
    let mut _watching = None;
    if let Some(listener) = doors.listener {
        _watching = Some(open_edge(log, &doors.instance, edge, listener, membership, &mut serving).await);
    }
    if let Some(config) = doors.bridge {
        let members = membership.members();
        let Doors { shared, instance, member, .. } = doors;
        let (log, closing) = (log.clone(), closing.clone());
        serving.spawn(bridge::serve(shared, log, config, instance, member, members, closing));
    }
    let served = tokio::select! {
        Some(ended) = serving.join_next() => ended.map_err(Error::Stopped),
        failure = edge.feed.watch() => Err(Error::Directory(failure)),
        never = forget_idle_throttles(edge) => match never {},
    };
    closing.cancel();
    // The first failure is returned; later ones add nothing.
    while serving.join_next().await.is_some() {}
    served
}

/// Opens the edge; returns the task that watches the membership.
async fn open_edge(
    log: &Log,
    instance: &str,
    edge: &Arc<Edge>,
    listener: TcpListener,
    membership: &Membership,
    serving: &mut JoinSet<()>,
) -> AbortOnDropHandle<()> {
    // After a restart the sessions of the previous process are unknown here and have ended.
    edge.presence.report_edge_lost(instance).await;
    let watching =
        members::watch(instance.to_owned(), membership.members(), edge.presence.clone(), edge.sessions.clone());
    let watching = AbortOnDropHandle::new(tokio::spawn(watching));
    takeover::watch(log, instance, edge.sessions.clone(), edge.shutdown.clone()).await;
    info!(instance, address = ?listener.local_addr().ok(), "listening for devices");
    serving.spawn(listen(edge.clone(), listener));
    watching
}

async fn forget_idle_throttles(edge: &Edge) -> std::convert::Infallible {
    loop {
        sleep(THROTTLE_CLEANUP_INTERVAL).await;
        edge.sessions.forget_full_throttles(Instant::now());
    }
}

/// Flushes the lanes, up to the drain time.
async fn close(edge: &Edge) {
    let closing = async {
        edge.pipeline.close().await;
        edge.presence.close().await;
    };
    if timeout(edge.limits.drain_timeout, closing).await.is_err() {
        // These messages were never acknowledged, so devices send them again.
        warn!("the lanes could not be flushed in time");
    }
}

/// Returns this process's member name and the kinds that it joins under.
fn membership_identity(instance: &str, edge: bool, bridge: bool) -> (String, Vec<&'static str>) {
    match (edge, bridge) {
        (true, false) => (members::member(instance), vec![members::KIND]),
        (true, true) => (members::member(instance), vec![members::KIND, bridge::KIND]),
        (false, true) => (bridge::member(instance), vec![bridge::KIND]),
        (false, false) => (format!("http-{instance}"), vec!["http"]),
    }
}
