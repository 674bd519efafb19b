//! Ends live sessions, here and at a broker, as soon as an event revokes their authorisation.

use std::sync::Arc;

use eventlog::Message;

use crate::config::Clock;
use crate::decide::authorize_session;
use crate::directory::{Affected, Directory};
use crate::edge::SessionEnd;
use crate::edge::session_registry::{SessionHandle, SessionRegistry};
use crate::emqx::kick::KickRequests;

/// Returns the fold that updates the directory and reviews the sessions affected by each event.
pub fn fold_and_review(
    directory: Arc<Directory>,
    sessions: Arc<SessionRegistry>,
    kicks: Option<KickRequests>,
    clock: Clock,
) -> impl FnMut(&Message) + Send + 'static {
    move |message| {
        for affected in directory.fold(message) {
            kicks.iter().for_each(|kicks| kicks.request(affected));
            let handles = match affected {
                Affected::Device(device) => sessions.of_device(device).into_iter().collect(),
                Affected::Organization(organization) => sessions.of_organization(organization),
            };
            handles.iter().for_each(|handle| review(&directory, handle, &clock));
        }
    }
}

fn review(directory: &Directory, handle: &SessionHandle, clock: &Clock) {
    if let Err(reason) = authorize_session(&handle.identity, &directory.view(&handle.identity), clock()) {
        handle.end(SessionEnd::Denied(reason));
    }
}
