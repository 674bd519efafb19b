//! The bridge: the door behind a broker that devices connect to. It reads telemetry as one of a group of subscribers and
//! acknowledges a message when it is on disk, so that the broker keeps what is not. Who may publish where is the
//! broker's business; what is published is judged like a message at any other door.

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

/// The kind of work that bridges join for.
pub const KIND: &str = "bridge";

/// Returns the name a bridge has among the members.
pub fn member(instance: &str) -> String {
    format!("bridge-{instance}")
}

/// Serves the broker's messages until the shutdown, and leaves when all that was taken is on disk and acknowledged. `own`
/// is this process's name among the members.
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
        // A stable name: the broker keeps what it has not delivered to it.
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

/// Keeps `elected` true while this bridge is the first of all by name: each notice of a broker reaches every bridge, and
/// one of them tells the log.
async fn elect(
    own: String,
    mut members: watch::Receiver<Members>,
    elected: watch::Sender<bool>,
) -> std::convert::Infallible {
    loop {
        let first = is_first(&own, &members.borrow_and_update());
        elected.send_if_modified(|elected| std::mem::replace(elected, first) != first);
        if members.changed().await.is_err() {
            // The membership is over, and with it the right to tell.
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
    fn the_first_bridge_by_name_tells_and_no_other() {
        let member = |name: &str, kind: &str| (name.to_owned(), BTreeSet::from([kind.to_owned()]));
        let members = Members::from([member("edge-a", "edge"), member("bridge-b", KIND), member("bridge-c", KIND)]);
        assert!(is_first("bridge-b", &members));
        assert!(!is_first("bridge-c", &members));
        assert!(!is_first("bridge-b", &Members::new()));
    }
}
