//! The bridge: the door behind a broker that devices connect to. It reads telemetry as one of a group of subscribers and
//! acknowledges a message when it is on disk, so that the broker keeps what is not. Who may publish where is the
//! broker's business; what is published is judged like a message at any other door.

mod config;
mod link;
mod notice;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use eventlog::members::Members;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;

pub use config::{Address, AddressError, BridgeConfig};
use link::Link;

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
    config: BridgeConfig,
    instance: String,
    own: String,
    members: watch::Receiver<Members>,
    shutdown: CancellationToken,
) {
    let tells = Arc::new(AtomicBool::new(false));
    let config = Arc::new(config);
    info!(broker = %config.address, connections = config.connections, "reading telemetry from a broker");
    let mut links = JoinSet::new();
    for number in 0..config.connections.max(1) {
        // A stable name: the broker keeps what it has not delivered to it.
        let client_id = format!("argusiq-{}-{number}", member(&instance));
        let notices = (number == 0).then(|| tells.clone());
        links.spawn(Link::new(shared.clone(), config.clone(), client_id, notices).run(shutdown.clone()));
    }
    tokio::select! {
        _ = async { while links.join_next().await.is_some() {} } => {}
        never = elect(own, members, tells.clone()) => match never {},
    }
}

/// Keeps `tells` true while this bridge is the first of all by name: each notice of a broker reaches every bridge, and
/// one of them tells the log. The members move within seconds of a death; what happens meanwhile may be told by nobody.
async fn elect(own: String, mut members: watch::Receiver<Members>, tells: Arc<AtomicBool>) -> std::convert::Infallible {
    loop {
        tells.store(is_first(&own, &members.borrow_and_update()), Relaxed);
        if members.changed().await.is_err() {
            // The membership is over, and with it the right to tell.
            tells.store(false, Relaxed);
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
