//! How the lanes tell a connection that its messages are on disk: a box of ticket numbers and one bell. Not what a
//! connection does with them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Receives the tickets of one connection's messages as they are stored. One task waits at it.
#[derive(Debug, Default)]
pub struct Mailbox {
    stored: Mutex<Stored>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct Stored {
    tickets: Vec<u32>,
    failed: bool,
}

impl Mailbox {
    /// Notes that a message is on disk.
    pub fn store(&self, ticket: u32) {
        let mut stored = self.stored();
        stored.tickets.push(ticket);
        let first = stored.tickets.len() == 1;
        drop(stored);
        if first {
            self.bell.notify_one();
        }
    }

    /// Notes that a message will not get onto disk.
    pub fn fail(&self) {
        self.stored().failed = true;
        self.bell.notify_one();
    }

    /// Waits until something was noted since the last collection. Who waited collects before waiting again.
    pub async fn notified(&self) {
        self.bell.notified().await;
    }

    /// Moves all tickets into an empty list and tells whether a message has failed.
    pub fn collect(&self, into: &mut Vec<u32>) -> bool {
        let mut stored = self.stored();
        std::mem::swap(&mut stored.tickets, into);
        stored.failed
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A claim on the acknowledgement of one message.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Where to tell.
    pub mailbox: Arc<Mailbox>,
    /// What to tell.
    pub ticket: u32,
}

impl Receipt {
    /// Tells what became of the message.
    pub fn settle(&self, stored: bool) {
        if stored { self.mailbox.store(self.ticket) } else { self.mailbox.fail() }
    }
}
