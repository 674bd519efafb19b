//! Acknowledgements owed on one connection, in the order in which their messages came (MQTT 4.6): each is given back when
//! its message and all before it are on disk. Not how they are sent.

use std::collections::VecDeque;
use std::sync::Arc;

use super::mailbox::{Mailbox, Receipt};

/// A message will not get onto disk, so what was promised to the sender cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message was not stored")]
pub struct NotStored;

/// What is owed on one connection. Receipts of another connection ring another mailbox, so none of them can settle an
/// identifier that was used again.
#[derive(Debug)]
pub struct PendingAcks<T> {
    mailbox: Arc<Mailbox>,
    waiting: VecDeque<(T, bool)>,
    /// The ticket of the first that waits.
    first: u32,
    /// Tickets just collected; kept for its room.
    stored: Vec<u32>,
}

impl<T> PendingAcks<T> {
    /// Begins with nothing owed; receipts arrive at the mailbox.
    pub fn new(mailbox: Arc<Mailbox>) -> Self {
        Self { mailbox, waiting: VecDeque::new(), first: 0, stored: Vec::new() }
    }

    /// Notes that something is owed; the receipt settles it.
    pub fn add(&mut self, what: T) -> Receipt {
        let ticket = self.first.wrapping_add(self.waiting.len() as u32);
        self.waiting.push_back((what, false));
        Receipt { mailbox: self.mailbox.clone(), ticket }
    }

    /// How many acknowledgements are owed.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Tells whether nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Waits until something may be due. Who waited calls [`Self::due`] before waiting again.
    pub async fn notified(&self) {
        self.mailbox.notified().await;
    }

    /// Gives each that is due, in order; errors when a message has failed, after those that are due all the same.
    pub fn take_stored(&mut self, mut acknowledge: impl FnMut(T)) -> Result<(), NotStored> {
        let failed = self.mailbox.collect(&mut self.stored);
        for ticket in self.stored.drain(..) {
            if let Some((_, stored)) = self.waiting.get_mut(ticket.wrapping_sub(self.first) as usize) {
                *stored = true;
            }
        }
        while let Some((what, _)) = self.waiting.pop_front_if(|(_, stored)| *stored) {
            self.first = self.first.wrapping_add(1);
            acknowledge(what);
        }
        if failed { Err(NotStored) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(pending: &mut PendingAcks<u16>) -> (Vec<u16>, Result<(), NotStored>) {
        let mut given = Vec::new();
        let result = pending.take_stored(|id| given.push(id));
        (given, result)
    }

    #[test]
    fn acknowledgements_come_in_the_order_of_the_messages_whatever_is_stored_first() {
        let mut pending = PendingAcks::new(Arc::default());
        let receipts: Vec<_> = [7, 8, 9].map(|id| pending.add(id)).into();
        receipts[2].settle(true);
        receipts[1].settle(true);
        assert_eq!(due(&mut pending), (vec![], Ok(())));
        receipts[0].settle(true);
        assert_eq!(due(&mut pending), (vec![7, 8, 9], Ok(())));
        assert!(pending.is_empty());
        pending.add(7).settle(true);
        assert_eq!(due(&mut pending), (vec![7], Ok(())));
    }

    #[test]
    fn a_message_that_fails_is_told_and_those_before_it_are_acknowledged() {
        let mut pending = PendingAcks::new(Arc::default());
        let receipts: Vec<_> = [1, 2].map(|id| pending.add(id)).into();
        receipts[0].settle(true);
        receipts[1].settle(false);
        assert_eq!(due(&mut pending), (vec![1], Err(NotStored)));
        assert_eq!(pending.len(), 1);
    }

    #[test]
    fn a_receipt_of_an_earlier_connection_settles_nothing_of_a_later_one() {
        let mut before = PendingAcks::new(Arc::default());
        let late = before.add(1);
        drop(before);
        let mut after = PendingAcks::new(Arc::default());
        after.add(1);
        late.settle(true);
        assert_eq!(due(&mut after), (vec![], Ok(())));
        assert_eq!(after.len(), 1);
    }
}
