//! Ends the live sessions of whoever lost the right to one, as soon as the log says so, here and at a broker.

use std::sync::Arc;

use eventlog::Message;

use crate::config::Clock;
use crate::decide::authorize_session;
use crate::directory::{Affected, Directory};
use crate::edge::End;
use crate::edge::sessions::{Handle, Sessions};
use crate::emqx::kick::Kicks;

/// Returns the fold that keeps the directory and reviews the sessions of everyone affected by an event.
pub fn fold_and_review(
    directory: Arc<Directory>,
    sessions: Arc<Sessions>,
    kicks: Option<Kicks>,
    clock: Clock,
) -> impl FnMut(&Message) + Send + 'static {
    move |message| {
        for affected in directory.fold(message) {
            kicks.iter().for_each(|kicks| kicks.note(affected));
            let handles = match affected {
                Affected::Device(device) => sessions.of_device(device).into_iter().collect(),
                Affected::Organization(organization) => sessions.of_organization(organization),
            };
            handles.iter().for_each(|handle| review(&directory, handle, &clock));
        }
    }
}

fn review(directory: &Directory, handle: &Handle, clock: &Clock) {
    if let Err(reason) = authorize_session(&handle.identity, &directory.view(&handle.identity), clock()) {
        handle.end(End::Denied(reason));
    }
}
