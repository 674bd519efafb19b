//! Take-over between edges: when a device connects at another edge, its session here has ended, even if the old
//! connection has not noticed. Take-over within one edge is in `SessionRegistry`.

use std::sync::Arc;

use domain::telemetry::{PresenceFact, PresenceKind};
use eventlog::{Log, Message, Positions, Source, Stream, error_chain, follow};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::edge::SessionEnd;
use crate::edge::session_registry::SessionRegistry;

/// Starts following the presence facts of all edges and ends the sessions that another edge took over.
pub async fn watch(log: &Log, own: &str, sessions: Arc<SessionRegistry>, shutdown: CancellationToken) {
    // Facts from before this edge opened do not concern its sessions.
    let from = match log.last_sequence(Stream::Presence).await {
        Ok(last) => Positions::at([(Stream::Presence, last)]),
        Err(error) => {
            warn!(
                error = error_chain(&error),
                "failed to find the end of the presence log; reading it from the beginning"
            );
            Positions::default()
        }
    };
    let own = own.to_owned();
    follow(log, vec![Source::all(Stream::Presence)], from, move |message| note(message, &own, &sessions), shutdown)
        .await;
}

fn note(message: &Message, own: &str, sessions: &SessionRegistry) {
    let Ok(facts) = serde_json::from_slice::<Vec<PresenceFact>>(&message.payload) else { return };
    for fact in facts.iter().filter(|fact| fact.kind == PresenceKind::Connected && fact.edge != own) {
        let (Some(device), Some(session)) = (fact.device, fact.session) else { continue };
        // Session ids grow with time, so an old fact never ends a newer session.
        if let Some(handle) = sessions.of_device(device).filter(|handle| handle.session < session) {
            handle.end(SessionEnd::TakenOver);
        }
    }
}
