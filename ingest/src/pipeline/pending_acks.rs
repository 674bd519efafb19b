//! Pending acknowledgements of one connection, in message order (MQTT 4.6): each is released once its message and all
//! before it are on disk.

use std::collections::VecDeque;
use std::sync::Arc;

use super::mailbox::{Mailbox, Receipt};

/// A message will not be stored, so it must not be acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message was not stored")]
pub struct NotStored;

/// The pending acknowledgements of one connection. Each connection has its own mailbox, so that a late receipt of
/// another connection cannot settle a reused packet identifier.
#[derive(Debug)]
pub struct PendingAcks<T> {
    mailbox: Arc<Mailbox>,
    waiting: VecDeque<(T, bool)>,
    /// The ticket of the first pending acknowledgement.
    first: u32,
    /// Tickets just collected; a field to reuse its allocation.
    stored: Vec<u32>,
}

impl<T> PendingAcks<T> {
    /// Starts empty; outcomes arrive at the mailbox.
    pub fn new(mailbox: Arc<Mailbox>) -> Self {
        Self { mailbox, waiting: VecDeque::new(), first: 0, stored: Vec::new() }
    }

    /// Adds a pending acknowledgement; the receipt settles it.
    pub fn add(&mut self, what: T) -> Receipt {
        let ticket = self.first.wrapping_add(self.waiting.len() as u32);
        self.waiting.push_back((what, false));
        Receipt { mailbox: self.mailbox.clone(), ticket }
    }

    /// Returns the number of pending acknowledgements.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Tells whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Waits until something may have been stored. Call [`Self::take_stored`] before waiting again.
    pub async fn notified(&self) {
        self.mailbox.notified().await;
    }

    /// Passes each acknowledgement that is due to `acknowledge`, in order. Then returns an error if a message has
    /// failed.
    pub fn take_stored(&mut self, mut acknowledge: impl FnMut(T)) -> Result<(), NotStored> {
        let failed = self.mailbox.collect(&mut self.stored);
        for ticket in self.stored.drain(..) {
            // Tickets wrap around; one that is not pending is out of range and ignored.
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
    fn acknowledgements_are_released_in_message_order() {
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
    fn a_failed_message_is_an_error_after_those_before_it_are_acknowledged() {
        let mut pending = PendingAcks::new(Arc::default());
        let receipts: Vec<_> = [1, 2].map(|id| pending.add(id)).into();
        receipts[0].settle(true);
        receipts[1].settle(false);
        assert_eq!(due(&mut pending), (vec![1], Err(NotStored)));
        assert_eq!(pending.len(), 1);
    }

    #[test]
    fn a_receipt_of_an_earlier_connection_does_not_affect_a_later_one() {
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
