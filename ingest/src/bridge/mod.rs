//! The bridge: reads telemetry from a broker that devices connect to, as one member of a shared subscription. It
//! acknowledges a message once it is on disk, so that the broker keeps every other one. The broker authorises
//! publishers; messages pass the same admission checks as at every other door.

mod broker_events;
mod connection;
mod presence_publisher;
mod reported_sessions;
mod subscriber;

use std::sync::Arc;

use eventlog::Log;
use eventlog::members::Members;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;

use subscriber::Subscriber;

use presence_publisher::PresencePublisher;

use crate::config::BridgeConfig;
use crate::mosquitto::AccessSync;
use crate::shared::Shared;

/// The kind under which bridges join the membership.
pub const KIND: &str = "bridge";

/// Returns the member name of a bridge.
pub fn member(instance: &str) -> String {
    format!("bridge-{instance}")
}

/// Serves the broker's messages until the shutdown and returns once every accepted message is stored and acknowledged.
/// `own` is this process's member name.
pub async fn serve(
    shared: Arc<Shared>,
    log: Log,
    config: BridgeConfig,
    instance: String,
    own: String,
    members: watch::Receiver<Members>,
    shutdown: CancellationToken,
) {
    let (elected, tells) = watch::channel(false);
    let config = Arc::new(config);
    info!(broker = %config.address, connections = config.connections, "reading telemetry from a broker");
    let mut tasks = JoinSet::new();
    for number in 0..config.connection_count() {
        // The client id must survive a restart: the broker keeps undelivered messages under it.
        let client_id = format!("argusiq-{}-{number}", member(&instance));
        let presence = match number {
            0 => Some(
                PresencePublisher::start(shared.clone(), &log, &config.broker, tells.clone(), shutdown.clone()).await,
            ),
            _ => None,
        };
        tasks.spawn(Subscriber::new(shared.clone(), config.clone(), client_id, presence).run(shutdown.clone()));
    }
    if let Some(security) = config.dynamic_security.clone() {
        let client_id = format!("argusiq-{}-control", member(&instance));
        let access_sync =
            AccessSync::new(shared, config.clone(), security, client_id, subscriber::filters(&config, true));
        tasks.spawn(access_sync.run(tells, shutdown));
    }
    tokio::select! {
        _ = async { while tasks.join_next().await.is_some() {} } => {}
        never = elect(own, members, elected) => match never {},
    }
}

/// Keeps `elected` true while this bridge is the first by name. Every broker event reaches every bridge, and only the
/// elected one publishes presence facts.
async fn elect(
    own: String,
    mut members: watch::Receiver<Members>,
    elected: watch::Sender<bool>,
) -> std::convert::Infallible {
    loop {
        let first = is_first(&own, &members.borrow_and_update());
        elected.send_if_modified(|elected| std::mem::replace(elected, first) != first);
        if members.changed().await.is_err() {
            // Without a membership this bridge may not publish.
            elected.send_replace(false);
            std::future::pending().await
        }
    }
}

fn is_first(own: &str, members: &Members) -> bool {
    members.iter().find(|(_, kinds)| kinds.contains(KIND)).is_some_and(|(first, _)| first == own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn only_the_first_bridge_by_name_is_elected() {
        let member = |name: &str, kind: &str| (name.to_owned(), BTreeSet::from([kind.to_owned()]));
        let members = Members::from([member("edge-a", "edge"), member("bridge-b", KIND), member("bridge-c", KIND)]);
        assert!(is_first("bridge-b", &members));
        assert!(!is_first("bridge-c", &members));
        assert!(!is_first("bridge-b", &Members::new()));
    }
}
