//! Tells long-lived connections when to check their credentials again: whenever this process learns of an event of a
//! user, an API key or an organisation, its own or another process's.

use cqrs_es::Aggregate;
use domain::api_key::ApiKey;
use domain::organization::Organization;
use domain::user::User;
use eventlog::Message;
use tokio::sync::watch;

use crate::commands::Commands;

/// The sender's side; clones share it.
#[derive(Clone, Default)]
pub(crate) struct AccessChanges(watch::Sender<()>);

impl AccessChanges {
    /// Returns what the feed of the caches calls with each message.
    pub(crate) fn listener(&self) -> impl Fn(&Message) + Send + use<> {
        let changes = self.clone();
        // es.<organization>.<aggregate type>.<id>
        move |message| message.subject_token(2).into_iter().for_each(|kind| changes.announce(kind))
    }

    /// Announces an event of an aggregate type, if credentials depend on it.
    pub(crate) fn announce(&self, aggregate_type: &str) {
        if [User::TYPE, ApiKey::TYPE, Organization::TYPE].contains(&aggregate_type) {
            self.0.send_replace(());
        }
    }
}

impl Commands {
    /// Returns a receiver that is notified after each event that may end the validity of an access token or an API key.
    /// [`Commands::access_status`] and [`Commands::verify_api_key`] know the event by then.
    pub fn access_changes(&self) -> watch::Receiver<()> {
        self.inner.access_changes.0.subscribe()
    }
}
