//! Reports stored messages from the lanes to the connection that they came from, by ticket number.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Collects the tickets of one connection's messages as they are stored. Only one task may wait for it.
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
    /// Records that a message is on disk.
    pub fn store(&self, ticket: u32) {
        let mut stored = self.stored();
        stored.tickets.push(ticket);
        // Only the first ticket since the last collection has to wake the waiting task.
        let first = stored.tickets.len() == 1;
        drop(stored);
        if first {
            self.bell.notify_one();
        }
    }

    /// Records that a message will not be stored.
    pub fn fail(&self) {
        self.stored().failed = true;
        self.bell.notify_one();
    }

    /// Waits until something was recorded since the last collection. Collect before waiting again.
    pub async fn notified(&self) {
        self.bell.notified().await;
    }

    /// Swaps all tickets into an empty list; returns whether a message has failed.
    pub fn collect(&self, into: &mut Vec<u32>) -> bool {
        let mut stored = self.stored();
        std::mem::swap(&mut stored.tickets, into);
        stored.failed
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The claim to the outcome of one message.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Where the outcome is recorded.
    pub mailbox: Arc<Mailbox>,
    /// The message's ticket.
    pub ticket: u32,
}

impl Receipt {
    /// Records the outcome of the message.
    pub fn settle(&self, stored: bool) {
        if stored { self.mailbox.store(self.ticket) } else { self.mailbox.fail() }
    }
}
