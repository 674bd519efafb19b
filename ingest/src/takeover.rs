//! Take-over between doors: a device that connected at another door has left this one, whether or not its old
//! connection has noticed. Take-over at one door is the sessions' own business.

use std::sync::Arc;

use domain::telemetry::{PresenceFact, PresenceKind};
use eventlog::{Log, Message, Positions, Source, Stream, follow};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::edge::SessionEnd;
use crate::edge::session_registry::SessionRegistry;

/// Begins to follow the presence of all doors from now on, and ends the sessions that other doors took over.
pub async fn watch(log: &Log, own: &str, sessions: Arc<SessionRegistry>, shutdown: CancellationToken) {
    // What was told before this door opened concerns none of its sessions.
    let from = match log.last_sequence(Stream::Presence).await {
        Ok(last) => Positions::at([(Stream::Presence, last)]),
        Err(error) => {
            warn!(%error, "the presence of other doors is read from its beginning");
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
        // Session ids grow with time, so an old fact ends no newer session.
        if let Some(handle) = sessions.of_device(device).filter(|handle| handle.session < session) {
            handle.end(SessionEnd::TakenOver);
        }
    }
}
